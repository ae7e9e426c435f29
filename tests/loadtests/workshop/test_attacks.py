"""One person cannot spoil the room: what is tried from a participant's seat, or from none, and does not succeed.

All of them are tried on one real workshop, from other devices; at its end the experiment is as sound as if nobody had.
"""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

import msgspec
import pytest
import requests

from loadtests.workshop.contract import Begin, Break, Close, EndWorkshop, Heal, Release
from loadtests.workshop.rehearsal.dashboard_client import RoomVisitor
from loadtests.workshop.rehearsal.other_device import OtherDevice
from tests.loadtests.workshop.phones import another_network
from tests.loadtests.workshop.whole_workshop import WholeWorkshop, whole_workshop
from tests.waiting import until

pytestmark = pytest.mark.cluster
COMMANDS = [Begin(), Release(), Break("kill", ("left", "right")), Heal(), Close(), EndWorkshop()]
RESULTS = ["/api/frames", "/api/losses/left/0", "/api/observed", "/report"]
CONTROL_PAGES = [
    "/-/state", "/-/sessions", "/%2d/state", "/%2D/sessions", "//-/state", "/./-/state", "/static/../-/state",
    "/static/..%2f-/state", "/%2e%2e/-/state", "/metrics", "/%6detrics", "/metrics/", "/healthz", "/health%7a",
    "/products/../healthz", "/admin", "/static/%2e%2e/%2e%2e/etc/passwd",
]  # fmt: skip
ADDRESSES = 14
ANSWERS = {"left": "2", "right": "0", "you": "right"}
SOON_S = 5.0
"""A bound for a machine on which much else runs; alone it takes some milliseconds."""


class Attacked:
    """The workshop, and addresses from which people come."""

    def __init__(self, workshop: WholeWorkshop, device: OtherDevice) -> None:
        self.workshop = workshop
        self.device = device
        self.home = workshop.opened["room_url"].removesuffix("/join")
        self.code = workshop.opened["join_code"]

    def somebody(self, number: int = 0) -> RoomVisitor:
        return RoomVisitor(self.home, self.device.own[number], self.device)

    def joined(self, number: int) -> RoomVisitor:
        phone = self.somebody(number)
        answer = phone.joins(self.code)
        assert answer.status_code == 200, answer.text
        return phone

    @property
    def shops(self) -> list[str]:
        return [side.shop_url for side in self.workshop.round.sides]

    def log(self) -> str:
        return (self.workshop.state / "workshop" / "dashboard.log").read_text()


@pytest.fixture(scope="module")
def predicting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    """People predict."""
    folder = tmp_path_factory.mktemp("attacked")
    with (
        another_network(folder / "ledger", ADDRESSES) as device,
        whole_workshop(folder, "--episode", "2", "--listen", device.address) as workshop,
    ):
        workshop.reaches("predict")
        yield Attacked(workshop, device)
        if workshop.round.phase == "run":
            sound_in_spite_of_all(workshop)


def sound_in_spite_of_all(workshop: WholeWorkshop) -> None:
    """Nobody has made the fault that the episode is about, and that is all there is to be said against it."""
    workshop.do(Close())
    workshop.reaches("explain")
    for result in workshop.results().architectures.values():
        assert result.books_balance, result.reasons
        assert result.reconciliation.mismatch_count == 0, result.reconciliation.mismatches
        assert result.reconciliation.guests > 50
        assert len(result.reasons) == 1, result.reasons
        assert "kill" in result.reasons[0]


@pytest.fixture(scope="module")
def ann(predicting: Attacked) -> RoomVisitor:
    """She has joined, and has not predicted."""
    return predicting.joined(1)


def commits(phone: RoomVisitor) -> bool:
    """Until the dashboard has heard that the round has begun, it asks people to wait."""
    return until(lambda: phone.predicts(ANSWERS).status_code == 201)


class TestWhileTheyPredict:
    @pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
    def test_no_participant_does_what_is_the_instructors(
        self, predicting: Attacked, ann: RoomVisitor, command: object
    ) -> None:
        before = predicting.workshop.round
        assert ann.post("/api/commands", msgspec.to_builtins(command)).status_code == 403
        assert predicting.somebody().post("/api/commands", msgspec.to_builtins(command)).status_code == 403
        assert predicting.workshop.round == before

    @pytest.mark.parametrize("path", RESULTS)
    def test_no_result_is_seen_early(self, ann: RoomVisitor, path: str) -> None:
        assert ann.get(path).status_code in (403, 404)

    def test_the_stream_tells_no_result_and_nobodys_password(self, predicting: Attacked, ann: RoomVisitor) -> None:
        def heard() -> bytes:
            with ann.session.get(f"{ann.home}/events", stream=True, timeout=15) as answer:
                return b"".join(itertools.islice(answer.iter_content(None), 2))

        said = predicting.device.call(heard)
        assert b"event: covered" in said
        assert b"event: picture" not in said
        for side in predicting.workshop.round.sides:
            assert not [guest for guest in side.guests if guest.password.encode() in said]

    def test_the_shops_cannot_be_entered_before_the_reveal(self, predicting: Attacked, ann: RoomVisitor) -> None:
        assert ann.me()["password"] == ""
        assert ann.get("/api/me").text.count("password") == 1

    def test_a_page_without_a_cookie_predicts_nothing(self, predicting: Attacked) -> None:
        for _ in range(50):
            assert predicting.somebody().predicts(ANSWERS).status_code == 403

    def test_a_thousand_predictions_of_one_shut_nobody_out(self, predicting: Attacked) -> None:
        eve, bob = predicting.joined(2), predicting.joined(3)
        assert commits(eve)
        assert [eve.predicts(ANSWERS).status_code for _ in range(19)] == [409] * 19
        assert bob.predicts(ANSWERS).status_code == 201

    def test_a_megabyte_of_reason_is_not_read(self, predicting: Attacked, ann: RoomVisitor) -> None:
        with suppress(requests.ConnectionError):  # it may hang up in the middle of it
            assert ann.predicts(ANSWERS, "x" * 2**20).status_code == 413
        assert ann.get("/api/me").status_code == 200

    def test_names_are_text_and_short(self, predicting: Attacked) -> None:
        phone = predicting.somebody(4)
        assert phone.joins(predicting.code, "<img src=x onerror=alert(1)>\u202e\n" + "y" * 500).status_code == 200
        answer = phone.get("/api/me")
        assert answer.json()["name"] == "<img src=x onerror=a"
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"

    def test_wrong_codes_lock_out_only_who_sends_them(self, predicting: Attacked) -> None:
        for number in (5, 6, 7):
            guesser = predicting.somebody(number)
            said = [guesser.joins("wrong").status_code for _ in range(12)]
            assert said == [403] * 10 + [429] * 2
            assert guesser.joins(predicting.code).status_code == 429
        predicting.joined(8)
        assert requests.get(predicting.workshop.opened["instructor_url"], timeout=30).status_code == 200

    def test_one_who_joins_again_and_again_takes_only_their_own_seats(self, predicting: Attacked) -> None:
        said = [predicting.somebody(9).joins(predicting.code).status_code for _ in range(30)]
        assert said == [200] * 4 + [429] * 26
        predicting.joined(10)

    @pytest.mark.parametrize("name", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io"])
    def test_a_foreign_name_that_leads_here_leads_to_nothing(
        self, predicting: Attacked, ann: RoomVisitor, name: str
    ) -> None:
        for to in (predicting.home, *predicting.shops):
            port = to.rpartition(":")[2]
            for host in (name, f"{name}:{port}"):
                assert ann.get("/", to=to, headers={"Host": host}).status_code in (403, 404), to

    def test_another_sites_page_sends_nothing(self, predicting: Attacked, ann: RoomVisitor) -> None:
        foreign = {"Origin": "http://evil.example"}
        assert ann.post("/join", {"code": predicting.code}, headers=foreign).status_code == 403
        assert ann.post("/api/predictions", {"answers": {}, "reason": "x"}, headers=foreign).status_code == 403
        form = {"Content-Type": "text/plain", **foreign}
        assert ann.ask("POST", "/api/commands", data='{"do":"end"}', headers=form).status_code == 403
        for shop in predicting.shops:
            fields = {"user": "guest-01", "password": "x"}
            page = {"Accept": "text/html", **foreign}
            assert ann.ask("POST", "/login", to=shop, data=fields, headers=page).status_code in (400, 401)

    def test_a_cookie_of_ones_own_making_is_nobodys(self, predicting: Attacked) -> None:
        phone = predicting.somebody(11)
        name = f"twinshop_workshop_{predicting.home.rpartition(':')[2]}"
        assert phone.get("/api/me", headers={"Cookie": f'{name}=["guest-01","i"].x'}).status_code == 403


@pytest.fixture(scope="module")
def shopping(predicting: Attacked, ann: RoomVisitor) -> Attacked:
    """People shop; Ann has predicted, and is in both shops."""
    assert commits(ann)
    predicting.workshop.do(Release())
    predicting.workshop.reaches("run")
    assert until(lambda: ann.me()["password"] != "")  # the dashboard has heard of it
    for shop in predicting.shops:
        assert ann.logs_in(shop).status_code == 200
    return predicting


class TestWhileTheyShop:
    @pytest.mark.parametrize("path", CONTROL_PAGES)
    def test_no_page_but_the_shops_own_is_reached(self, shopping: Attacked, ann: RoomVisitor, path: str) -> None:
        for shop in shopping.shops:
            answer = ann.get(path, to=shop, headers={"X-Control-Token": "guess"})
            assert answer.status_code in (400, 404), answer.text[:200]
            assert "X-Node" not in answer.headers, "no node was asked"

    def test_nothing_else_of_the_workshop_listens_to_the_room(self, shopping: Attacked) -> None:
        work = list((shopping.workshop.folder / "runs").rglob("cluster.json"))
        assert len(work) == 2
        ports: set[int | None] = set()
        for file in work:
            told = msgspec.json.decode(file.read_bytes())
            urls = (told["url"], told["admin_url"], told["store_url"], *told["node_urls"].values())
            ports |= {urlsplit(url).port for url in urls if url}
        assert len(ports) >= 10

        def reached() -> set[int | None]:
            found = set()
            for port in ports:
                with socket.socket() as trial:
                    trial.settimeout(2)
                    if trial.connect_ex((shopping.device.address, port)) == 0:
                        found.add(port)
            return found

        assert shopping.device.call(reached) == set()

    def test_nobody_enters_as_somebody_else(self, shopping: Attacked, ann: RoomVisitor) -> None:
        me = ann.me()
        for shop in shopping.shops:
            for user in ("guest-00", "guest-02", "user-0001"):
                for password in (me["password"], "shop", ""):
                    answer = ann.post("/login", {"user": user, "password": password}, to=shop)
                    assert answer.status_code in (400, 401, 429)

    def test_guesses_of_passwords_are_throttled_where_they_come_from(
        self, shopping: Attacked, ann: RoomVisitor
    ) -> None:
        guesser, shop = shopping.somebody(5), shopping.shops[1]
        said = []
        for number in range(60):
            forged = {"X-Forwarded-For": f"203.0.113.{number}"}
            wrong = {"user": "guest-01", "password": f"guess-{number}"}
            said.append(guesser.post("/login", wrong, to=shop, headers=forged).status_code)
            guesser.session.cookies.clear()
        assert set(said) == {401, 429}
        assert said.count(401) <= 30, "ten at each of three nodes"
        bob = shopping.joined(12)
        assert bob.predicts(ANSWERS).status_code == 201
        assert bob.logs_in(shop).status_code == 200

    @pytest.mark.parametrize("name", ["a b", "x" * 300, "\u00e9", "probe-1", "%s"])
    def test_a_request_id_of_ones_own_is_not_used(self, shopping: Attacked, ann: RoomVisitor, name: str) -> None:
        for shop in shopping.shops:
            answer = ann.get("/products", to=shop, headers={"X-Request-Id": name.encode().decode("latin-1")})
            assert answer.status_code == 200
            assert answer.headers["X-Request-Id"] != name

    def test_a_shoppers_request_id_is_not_taken_over(self, shopping: Attacked, ann: RoomVisitor) -> None:
        run = ann.get("/products", to=shopping.shops[0]).headers["X-Run"]
        for shop in shopping.shops:
            answer = ann.get("/me", to=shop, headers={"X-Request-Id": f"{run}a-0001-1"})
            assert not answer.headers["X-Request-Id"].startswith(run)

    def test_who_floods_a_shop_is_held_up_alone(self, shopping: Attacked, ann: RoomVisitor) -> None:
        flooder, shop = shopping.somebody(6), shopping.shops[0]

        def flood() -> set[int]:
            url, until_s = f"{shop}/nothing", time.monotonic() + 10
            found: set[int] = set()
            while 429 not in found and time.monotonic() < until_s:
                found.add(flooder.session.get(url, timeout=30).status_code)
            return found

        assert 429 in shopping.device.call(flood)
        assert ann.get("/me", to=shop).status_code == 200

    def test_slow_connections_stop_neither_the_dashboard_nor_a_shop(self, shopping: Attacked, ann: RoomVisitor) -> None:
        targets = [shopping.home, *shopping.shops]

        def hold(held: ExitStack) -> None:
            for number in range(280):
                host, port = targets[number % 3].removeprefix("http://").split(":")
                slow = held.enter_context(socket.socket())
                slow.settimeout(20)
                slow.bind((shopping.device.own[number % 7], 0))
                slow.connect((host, int(port)))
                slow.sendall(b"POST /join HT")

        def answered_meanwhile() -> bool:
            with ExitStack() as held:
                shopping.device.call(lambda: hold(held))
                began = time.monotonic()
                assert ann.get("/api/me").status_code == 200
                for shop in shopping.shops:
                    assert ann.get("/me", to=shop).status_code == 200
                return time.monotonic() - began < SOON_S

        assert until(answered_meanwhile, 60), "never before the slow ones were given up"

    def test_who_watches_ten_times_takes_nobodys_place(self, shopping: Attacked, ann: RoomVisitor) -> None:
        def watch() -> list[int]:
            return [ann.session.get(f"{ann.home}/events", stream=True, timeout=30).status_code for _ in range(10)]

        assert shopping.device.call(watch) == [200] * 10
        assert shopping.somebody(8).get("/healthz").status_code == 200

    def test_broken_requests_leave_no_traceback_in_the_log(self, shopping: Attacked, ann: RoomVisitor) -> None:
        host, port = shopping.home.removeprefix("http://").split(":")
        before = len(shopping.log())

        def broken() -> None:
            for words in (
                b"\x16\x03\x01\x02\x00\x01\x00",
                b"GET",
                b"GET / HTTP/9.9\r\n\r\n",
                b"\x00" * 64 + b"\r\n\r\n",
            ):
                for _ in range(5):
                    with socket.create_connection((host, int(port)), 5) as connection:
                        connection.sendall(words)

        shopping.device.call(broken)
        assert ann.get("/api/me").status_code == 200
        assert "Traceback" not in shopping.log()
        assert len(shopping.log()) - before < 500

    def test_a_megabyte_of_cart_is_refused(self, shopping: Attacked, ann: RoomVisitor) -> None:
        for shop in shopping.shops:
            with suppress(requests.ConnectionError):  # it may hang up in the middle of it
                assert ann.post("/cart", {"sku": "x" * 2**20, "quantity": 1}, to=shop).status_code == 413
            assert ann.get("/me", to=shop).status_code == 200
