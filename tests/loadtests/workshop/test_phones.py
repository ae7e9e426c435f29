"""A room: phones in another network join by code, predict, shop in both shops, and are logged out by a kill in one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from requests import Response

from loadtests.workshop.contract import SIDES, Begin, Break, Close, EndWorkshop, GuestView, Release, SideName
from loadtests.workshop.rehearsal.dashboard_client import DashboardClient, RoomVisitor
from loadtests.workshop.rehearsal.other_device import OtherDevice
from tests.loadtests.workshop.phones import Phone, another_network, phones
from tests.loadtests.workshop.whole_workshop import WholeWorkshop, whole_workshop
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.browser, pytest.mark.timeout(400)]
NAME = "<b>Ann</b>"
ANSWERS = {"left": "2", "right": "0", "you": "right"}
PEOPLE = 30
TOLD_WITHIN_S = 60.0


def node_of(shop: Page) -> str:
    return shop.locator("footer .node").inner_text()


def answered(ask: Callable[[], Response]) -> Response:
    """A person whose page does not come within the balancer's bound, on a busy machine, sends it again."""
    answer = ask()

    def is_served() -> bool:
        nonlocal answer
        if answer.status_code >= 500:
            answer = ask()
        return answer.status_code < 500

    assert until(is_served, TOLD_WITHIN_S), answer.text
    return answer


def opens_the_cart(shop: Page, url: str) -> None:
    """The balancer may take a second to find out that a node is dead; a person opens the page again."""

    def answered() -> bool:
        answer = shop.goto(f"{url}/cart")
        return answer is not None and answer.status < 500

    assert until(answered, TOLD_WITHIN_S)


def they_see_for_themselves(workshop: WholeWorkshop, shops: tuple[Page, Page], *, lost_the_left: bool) -> None:
    """One phone opens both carts: a stranger where its node has died with its session, known everywhere else."""
    for shop, side, is_lost in zip(shops, workshop.round.sides, (lost_the_left, False), strict=True):
        opens_the_cart(shop, side.shop_url)
        if is_lost:
            expect(shop.get_by_role("heading", name="This shop does not know you any more")).to_be_visible()
        else:
            expect(shop.locator("footer")).to_contain_text("Your session lives")


class ARoom:
    """All who are in it: with browsers, and without."""

    def __init__(self, workshop: WholeWorkshop, device: OtherDevice, browser: Browser, browsers: int) -> None:
        self.workshop = workshop
        self.url, self.code = workshop.opened["room_url"], workshop.opened["join_code"]
        home = self.url.removesuffix("/join")
        self.phones = [Phone(browser, NAME if number == 0 else f"Phone {number}") for number in range(browsers)]
        self.people = [RoomVisitor(home, device.own[1 + number], device) for number in range(PEOPLE)]

    def join(self) -> None:
        for phone in self.phones:
            phone.joins(self.url, self.code)
        for number, person in enumerate(self.people):
            assert person.joins(self.code, f"Person {number}").status_code == 200

    def predict(self) -> None:
        for phone in self.phones:
            phone.predicts()
        for person in self.people:
            # Until the dashboard has heard that the round has begun, it asks people to wait.
            assert until(lambda person=person: person.predicts(ANSWERS).status_code == 201)  # type: ignore[misc]

    def log_in(self) -> dict[str, str]:
        """Everybody, to both shops; the left node of each who has no browser, by account."""
        homes = {}
        assert until(lambda: self.people[-1].me()["password"] != "", TOLD_WITHIN_S)  # the dashboard has heard of it
        for person in self.people:
            for side in self.workshop.round.sides:
                answer = answered(lambda person=person, side=side: person.logs_in(side.shop_url))  # type: ignore[misc]
                assert answer.status_code == 200, answer.text
                if side.side == "left":
                    homes[person.me()["user"]] = answer.headers["X-Node"]
        return homes

    def what_they_see(self, side: SideName) -> dict[str, bool]:
        """Whether that shop knows them, by account."""
        there = self.workshop.round.sides[SIDES.index(side)]
        found: dict[str, bool] = {}

        def looked(person: RoomVisitor) -> bool:
            known = person.is_known(there)
            if known is not None:
                found[person.me()["user"]] = known
            return known is not None

        for person in self.people:
            assert until(lambda person=person: looked(person), TOLD_WITHIN_S)  # type: ignore[misc]
        return found


def a_round(room: ARoom) -> None:
    """From the prediction to the report; each one's fate is told as it is."""
    workshop = room.workshop
    room.predict()
    workshop.do(Release())
    workshop.reaches("run", workshop.round.number)
    homes = room.log_in()
    shops = [(phone.logs_in("left"), phone.logs_in("right")) for phone in room.phones]
    left, right = shops[0]
    left.get_by_role("button", name="Add").first.click()
    expect(left.locator(".basket")).to_have_text("Cart 1")
    room.phones[0].opens_the_cart("left")
    expect(left).to_have_url(f"{workshop.round.sides[0].shop_url}/cart")  # in the tab that is there
    served_by = [node_of(shop) for shop, _ in shops]
    victim = served_by[0]
    with DashboardClient(workshop.opened["instructor_url"]) as instructor:
        assert instructor.predicts(ANSWERS, "so").ok
        workshop.do(Break("kill", ("left",), victim))
        workshop.do(Break("kill", ("right",), node_of(right)))
        workshop.sees("observed", 2)
        seen = {side: room.what_they_see(side) for side in SIDES}
        assert seen["left"] == {user: home != victim for user, home in homes.items()}
        assert set(seen["right"].values()) == {True}

        def told(side: SideName) -> dict[str, GuestView]:
            picture = instructor.seen.picture
            return {guest.user: guest for guest in (picture.left if side == "left" else picture.right).guests}

        def is_told(side: SideName) -> bool:
            """Whom that shop knows, and whom it has logged out: what its nodes answered comes to the picture later."""
            views = {user: told(side)[user] for user in homes}
            told_of = {user: (view.logged_in, view.lost) for user, view in views.items()}
            return told_of == {user: (known, not known) for user, known in seen[side].items()}

        for side in SIDES:
            assert until(lambda side=side: is_told(side), TOLD_WITHIN_S), (side, told(side), seen[side])  # type: ignore[misc]
    out = [*homes.values(), *served_by].count(victim)
    everybody = PEOPLE + len(room.phones)
    for pair, home in zip(shops, served_by, strict=True):
        they_see_for_themselves(workshop, pair, lost_the_left=home == victim)
    for phone in room.phones:
        expect(phone.page.locator("#room-left")).to_have_text(f"{out} of {everybody} logged out")
        expect(phone.page.locator("#room-right")).to_have_text(f"0 of {everybody} logged out")
    expect(room.phones[0].page.locator("#room-rows th", has_text="you")).to_have_text(f"{NAME} ★ you")
    workshop.do(Close())  # heals what is broken
    workshop.reaches("explain", workshop.round.number)
    for result in workshop.results().architectures.values():
        assert result.books_balance, result.reasons
        assert result.reconciliation.mismatch_count == 0, result.reconciliation.mismatches
    for pair in shops:
        for shop in pair:
            shop.close()


def play(folder: Path, state: Path, *, rounds: int, browsers: int) -> None:
    with ExitStack() as last:
        device = last.enter_context(another_network(state, PEOPLE + 1))
        workshop = last.enter_context(whole_workshop(folder, "--episode", "2", "--listen", device.address))
        browser = last.enter_context(phones(device, folder))
        assert workshop.opened["room_url"].startswith(f"http://{device.address}:")
        workshop.reaches("predict")
        room = ARoom(workshop, device, browser, browsers)
        room.join()
        for number in range(rounds):
            if number:
                workshop.do(Begin("2"))
                workshop.reaches("predict", number + 1)
            a_round(room)
        assert [phone.trouble for phone in room.phones] == [[]] * browsers
        workshop.do(EndWorkshop())
        assert workshop.end()[0] == 0


def test_everybody_in_a_room_is_told_their_own_fate(tmp_path: Path, own_state: Path) -> None:
    """A phone, and thirty people without a browser."""
    play(tmp_path, own_state, rounds=1, browsers=1)
