"""What a room looks at: all of it at once, on small projectors too; and how to join, without the instructor's key."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import APIResponse, Browser, Page, Route, expect

from loadtests.workshop.contract import Begin, Close, LiveFault, Phase
from tests.loadtests.report.test_browser import assert_axe_finds_nothing, axe_finds_nothing_at
from tests.loadtests.workshop.dashboard.process import TOKEN
from tests.loadtests.workshop.dashboard.stage import Played, on_stage
from tests.loadtests.workshop.dashboard.test_page_in_browser import predicted, press, seek
from tests.waiting import until

pytestmark = pytest.mark.browser
SEEN_AT_ONCE = (
    "#left-numbers",
    "#right-numbers",
    "#left-picture svg",
    "#right-picture svg",
    "#fault-buttons",
    "#visit",
    "#left-room",
    "#close-round",
)
NOT_CUT = ("#round-title",)
ONE_DEAD = (LiveFault(0, ("left", "right"), "kill", "n2"),)


def test_all_that_a_room_looks_at_is_seen_without_scrolling(browser: Browser, tmp_path: Path) -> None:
    """In both modes, on small projectors too, while something is broken; and no dot stands in a dead node."""
    told = {"episode": "where-does-your-cart-live", "predict": False}  # of two lines, beside how to join
    with on_stage(tmp_path / "w", "run", join_code="apple-42", broken=ONE_DEAD, **told) as played:
        page = played.open(browser, key=True)
        for width, height in ((1280, 720), (1280, 800), (1920, 1080)):
            page.set_viewport_size({"width": width, "height": height})
            for mode in ("plain", "projector"):
                expect(page.locator("#left-picture .node.dead")).to_have_count(1)
                expect(page.locator("#broken-list li")).to_have_count(1)
                page.wait_for_timeout(300)  # it is drawn anew with the next picture of the screen
                page.evaluate("scrollTo(0, 0)")
                for part in SEEN_AT_ONCE:
                    box = page.locator(part).bounding_box()
                    assert box is not None, (width, mode, part)
                    assert box["y"] >= 0, (width, mode, part)
                    assert box["y"] + box["height"] <= height, (width, height, mode, part, box)
                assert dots_in_dead_nodes(page) == 0
                for part in NOT_CUT:
                    assert page.locator(part).evaluate("it => it.scrollHeight <= it.clientHeight"), (width, mode, part)
                assert page.locator("#breaking").evaluate("it => it.scrollWidth <= it.clientWidth"), (width, mode)
                page.locator("#projector").click()


CONTROLS = ("#shop-links button", "#where input", "#victim", "#fault-buttons button", "#close-round", "#begin", "#end")


def test_nothing_that_is_pressed_moves_when_a_node_dies(browser: Browser, tmp_path: Path) -> None:
    """And the round can be closed from wherever one is, without scrolling."""

    def places(page: Page, at_s: int) -> list[object]:
        seek(page, at_s)
        page.wait_for_timeout(300)  # it is drawn anew with the next picture of the screen
        return [page.locator(part).evaluate_all("all => all.map(it => it.getBoundingClientRect().toJSON())")
                for part in CONTROLS]  # fmt: skip

    with on_stage(tmp_path / "w", "run", predict=False, join_code="apple-42") as played:
        page = played.open(browser, key=True)
        for width, height in ((1280, 720), (1280, 800)):
            page.set_viewport_size({"width": width, "height": height})
            for mode in ("plain", "projector"):
                played.stage.goes_to("run", predict=False)
                expect(page.locator("#broken")).to_be_hidden()
                before = places(page, 7)
                expect(page.locator(".node.dead")).to_have_count(0)
                played.stage.goes_to("run", predict=False, broken=ONE_DEAD)
                expect(page.locator("#broken-list li")).to_have_count(1)
                for at_s in (8, 9, 10):  # some are on their way to another node, and then nobody is
                    assert places(page, at_s) == before, (width, height, mode, at_s)
                expect(page.locator(".node.dead")).to_have_count(2)
                expect(page.locator("#close-round")).to_be_in_viewport(ratio=1)
                page.locator("#projector").click()


@pytest.mark.parametrize("phase", ["predict", "run"])
def test_the_end_of_the_workshop_takes_no_line_of_its_own(phase: Phase, browser: Browser, tmp_path: Path) -> None:
    with on_stage(tmp_path / "w", phase, join_code="apple-42") as played:
        if phase == "run":
            played.stage.handle(Close())  # its report stands there, too
        page = played.open(browser, key=True, path="/?projector=1")
        expect(page.locator("#report-link" if phase == "run" else "#release")).to_be_visible()
        for width in (1280, 1920):
            page.set_viewport_size({"width": width, "height": 720})
            begin, end = (page.locator(button).bounding_box() for button in ("#begin", "#end"))
            assert begin is not None
            assert end is not None
            assert begin["y"] < end["y"] + end["height"] / 2 < begin["y"] + begin["height"], width
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width


def test_how_to_join_fits_a_phone(browser: Browser, tmp_path: Path) -> None:
    with on_stage(tmp_path / "w", "predict", join_code="apple-42") as played:
        page = played.open(browser, key=True, width=360, height=740)
        expect(page.locator("#join-button")).to_be_visible()
        margins = page.locator("main").evaluate("it => getComputedStyle(it).paddingRight")
        box = page.locator("#join-button").bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 360 - float(margins.removesuffix("px"))


def dots_in_dead_nodes(page: Page) -> int:
    found: int = page.evaluate("""() => {
        const dead = [...document.querySelectorAll(".node.dead > rect")].map((rect) => rect.getBoundingClientRect());
        const dots = [...document.querySelectorAll(".shopper, .guest")].map((dot) => dot.getBoundingClientRect());
        const inside = (dot, box) => dot.left > box.left && dot.right < box.right && dot.top > box.top
            && dot.bottom < box.bottom;
        return dots.filter((dot) => dead.some((box) => inside(dot, box))).length;
    }""")
    return found


def test_the_page_stands_at_its_top_when_the_round_goes_on(browser: Browser, tmp_path: Path) -> None:
    """And only then: whoever has scrolled away stays there, and so does whoever is writing a prediction."""
    with on_stage(tmp_path / "w", "predict", join_code="apple-42") as played:
        page = played.open(browser, key=True, width=1280, height=720, path="/?projector=1")
        phone, late = (joined(played, browser) for _ in range(2))
        for each in (phone, page):
            predicted(each)
            expect(each.locator("#own")).to_be_visible()
        expect(page.locator("#release")).to_be_in_viewport(ratio=1)
        expect(page.locator("#counted")).to_have_text("2 of 3 predictions are in, yours with them.", timeout=20_000)
        late.locator("#reason").click()
        assert scrolled(late) > 0

        press(page, page.locator("#release"))
        expect(page.locator("#left-picture [data-node]").first).to_be_visible()
        expect(phone.locator("#left-picture [data-node]").first).to_be_visible()
        assert until(lambda: scrolled(page) == 0 == scrolled(phone))
        expect(page.locator("#breaking-title")).to_be_focused()
        expect(late.locator("#commit-note")).to_contain_text("You are late")
        assert scrolled(late) > 0
        for each in (page, phone):
            each.evaluate("scrollTo(0, 400)")
        page.locator("#fault-buttons [data-kind=kill]").evaluate("it => it.click()")
        expect(page.locator("#enough")).to_have_text("one at a time: mend it, or close the round")
        assert min(scrolled(page), scrolled(phone)) > 0
        played.stage.handle(Close())
        for each in (page, phone):
            expect(each.locator("#compared-rows tr").first).to_be_in_viewport()
            assert scrolled(each) == 0
        with phone.context.expect_page() as opened:
            phone.get_by_role("link", name="Every loss with its witness").click()
        expect(opened.value.locator("body")).to_contain_text("The round's report.")


def test_free_play_says_how_many_are_in_the_room(browser: Browser, tmp_path: Path) -> None:
    with on_stage(tmp_path / "w", "open", episode="", join_code="apple-42") as played:
        page = played.open(browser, key=True, path="/?projector=1")
        expect(page.locator("#joined")).to_be_hidden()
        joined(played, browser)
        expect(page.locator("#joined")).to_have_text("1 in the room")


def joined(played: Played, browser: Browser) -> Page:
    """A phone in the room."""
    phone = played.open(browser, width=360, height=740)
    phone.get_by_label("The code on the instructor’s screen").fill("apple-42")
    phone.get_by_role("button", name="Join").click()
    expect(phone.locator("#lesson, #pair").first).to_be_attached()
    return phone


def scrolled(page: Page) -> float:
    found: float = page.evaluate("scrollY")
    return found


def test_a_room_is_shown_how_to_join_and_never_the_instructors_key(browser: Browser, tmp_path: Path) -> None:
    with on_stage(tmp_path / "w", "predict", join_code="apple4") as played:
        address = played.home.removeprefix("http://")
        page = played.open(browser, key=True, path="/?projector=1")
        expect(page.locator("#join-button")).to_have_text(f"Join at {address} code APP LE4")
        expect(page.locator("#cover-join .qr")).to_be_visible()
        page.keyboard.press("j")
        shown = page.get_by_role("dialog")
        expect(shown).to_contain_text(f"or open {address} and type APP LE4")
        # Not by the browser's own waiting: it evaluates again by what the page's policy forbids.
        assert until(lambda: page.evaluate("document.querySelector('#join .qr').naturalWidth > 0"))
        assert TOKEN not in page.content() + page.url
        assert_axe_finds_nothing(page)
        phone = played.open(browser, width=360)
        phone.get_by_label("The code on the instructor’s screen").fill("app le4")
        phone.get_by_role("button", name="Join").click()
        expect(phone.locator("#prediction")).to_be_visible()
        for way_in in ("#join-button", "#cover-join"):
            expect(phone.locator(way_in)).to_be_hidden()
        assert [url for url in played.asked if not url.startswith(played.home + "/")] == []
        assert played.said == []


def test_each_shop_has_one_tab_however_often_it_is_pressed(browser: Browser, tmp_path: Path) -> None:
    with on_stage(tmp_path / "w", "run", predict=False) as played:
        phone = played.open(browser, width=360)
        shops = phone.context
        shops.route("http://127.0.0.1:1/**", lambda route: route.fulfill(body=route.request.url))
        for side in ("left", "right"):
            row = phone.locator(f'#shop-links [data-side="{side}"]')
            with shops.expect_page() as opened:
                row.get_by_role("button").click()
            expect(opened.value.locator("body")).to_have_text("http://127.0.0.1:1/login")
            for _ in range(2):
                row.get_by_role("link", name="your cart").click()
                expect(opened.value.locator("body")).to_have_text("http://127.0.0.1:1/cart")
                row.get_by_role("button").click()
                expect(opened.value.locator("body")).to_have_text("http://127.0.0.1:1/login")
            phone.reload()  # as a telephone does when it wakes up
            row.get_by_role("link", name="your cart").click()
            expect(opened.value.locator("body")).to_have_text("http://127.0.0.1:1/cart")
        assert len(shops.pages) == 3


def test_what_participants_do_is_told_at_the_door_and_on_the_dashboard(browser: Browser, tmp_path: Path) -> None:
    with on_stage(tmp_path / "w", "predict", join_code="apple4") as played:
        phone = played.open(browser, width=360)
        phone.get_by_role("link", name="What you do in the room").click()
        expect(phone.get_by_role("heading", level=1)).to_have_text("What you do, on your own phone")
        axe_finds_nothing_at(phone, (1280,))
        phone.get_by_role("link", name="To the workshop").first.click()
        phone.get_by_label("The code on the instructor’s screen").fill("apple4")
        phone.get_by_label("A name for the screen").fill("Ann")
        phone.get_by_role("button", name="Join").click()
        expect(phone.get_by_label("Your name, if you like")).to_have_value("Ann")
        phone.get_by_role("link", name="What you do").click()
        phone.get_by_role("link", name="To the workshop").last.click()
        expect(phone.locator("#prediction")).to_be_visible()


def test_an_answer_that_is_late_or_refused_keeps_nobody_from_the_shops(browser: Browser, tmp_path: Path) -> None:
    """What was asked before people shop is answered after it, and what is asked then is refused once."""
    held: list[tuple[Route, APIResponse]] = []
    refused: list[str] = []

    def mishandled(route: Route) -> None:
        answer = route.fetch()
        if answer.json()["committed"] and not answer.json()["password"]:
            held.append((route, answer))
        elif answer.json()["password"] and not refused:
            refused.append(route.request.url)
            route.fulfill(status=503, body="{}")
            for late, told in held:
                late.fulfill(response=told)
        else:
            route.fulfill(response=answer)

    with on_stage(tmp_path / "w", "predict") as played:
        phone = played.open(browser, width=360)
        phone.route("**/api/me", mishandled)
        predicted(phone)
        while not held:  # the browser's requests are handled while the test waits for the browser
            phone.wait_for_timeout(20)
        played.stage.goes_to("run")
        expect(phone.locator("#visit")).to_be_visible()
        assert len(refused) == 1


def test_another_round_takes_nothing_from_a_room_unasked(browser: Browser, tmp_path: Path) -> None:
    with on_stage(tmp_path / "w", "predict") as played:
        page = played.open(browser, key=True)
        predicted(page)
        begin, asked = page.get_by_role("button", name="Begin", exact=True), page.get_by_role("dialog")
        press(page, begin)
        expect(asked).to_contain_text("1 prediction is in, and would never be compared with anything")
        expect(asked.get_by_role("button", name="Stay in this round")).to_be_focused()
        assert_axe_finds_nothing(page)
        page.keyboard.press("Enter")
        expect(asked).to_have_count(0)
        expect(begin).to_be_focused()
        played.stage.goes_to("run")
        expect(page.locator("#close-round")).to_be_visible()
        press(page, begin)
        expect(asked).to_contain_text("People are shopping: this round would be closed as it stands")
        page.keyboard.press("Escape")
        assert played.stage.told == []

        press(page, begin)
        asked.get_by_role("button", name="Begin it").press("Enter")
        expect(page.locator("#phase")).to_contain_text("Predict")
        expect(asked).to_have_count(0)
        played.stage.handle(Close())
        expect(page.locator("#phase")).to_contain_text("The round is over")
        press(page, begin)  # nothing would be lost any more
        assert until(lambda: played.stage.told == [Begin(), Close(), Begin()]), played.stage.told
        expect(asked).to_have_count(0)


@pytest.mark.parametrize("mode", ["light", "dark", "projector"])
def test_axe_finds_nothing(browser: Browser, tmp_path: Path, mode: str) -> None:
    """The instructor's page, on phones too; beside it a participant's phone."""
    path = "/?projector=1" if mode == "projector" else "/"
    others = {"light": (360,), "dark": (390,), "projector": (1280,)}[mode]
    with on_stage(tmp_path / "w", "predict") as played:
        page = played.open(
            browser, key=True, dark=mode == "dark", width=1920 if mode == "projector" else 1280, path=path
        )
        phone = played.open(browser, width=360 if mode == "light" else 390, dark=mode == "dark")
        for each in (page, phone):
            expect(each.locator("#prediction")).to_be_visible()
            axe_finds_nothing_at(each, others if each is page else ())
        predicted(page)
        predicted(phone)
        played.stage.goes_to("run")
        expect(page.locator("#left-picture .logged_out").first).to_be_visible()
        expect(phone.locator("#visit")).to_be_visible()
        axe_finds_nothing_at(page, others)
        axe_finds_nothing_at(phone, ())
        page.locator("#left-picture .logged_out").first.click()
        expect(page.locator("#witness .story")).to_be_visible()
        assert_axe_finds_nothing(page)
        page.keyboard.press("Escape")
        played.stage.handle(Close())
        for each in (page, phone):
            expect(each.locator("#histograms table").first).to_be_visible()
            axe_finds_nothing_at(each, others if each is page else ())
        page.keyboard.press("?")
        expect(page.locator("#help")).to_be_visible()
        assert_axe_finds_nothing(page)
