"""The dashboard's page in a real Chromium: an episode by the keyboard alone, covers, witnesses, time, sizes, axe."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from loadtests.workshop.contract import Break, Close, CommandReply, EndWorkshop, Heal, Release
from loadtests.workshop.episode_file import episode_named
from loadtests.workshop.predictions import read_predictions
from tests.loadtests.report.test_browser import assert_axe_finds_nothing
from tests.loadtests.workshop.dashboard.made_up_round import SHOPPERS, VICTIM, losses
from tests.loadtests.workshop.dashboard.process import TOKEN
from tests.loadtests.workshop.dashboard.stage import EPISODE, Played, on_stage
from tests.waiting import until

pytestmark = pytest.mark.browser

LESSON = episode_named(EPISODE)
MOST_TABS = 60
SMALLEST_PROJECTED_PX = 24
SMALL_LETTERS = """() => {
    const small = [];
    for (const element of document.querySelectorAll("body *")) {
        const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
        const box = element.getBoundingClientRect();
        if (!own || box.width < 2 || !element.checkVisibility()) continue;
        const size = parseFloat(getComputedStyle(element).fontSize);
        if (size < 24) small.push(`${element.tagName} ${element.className.baseVal ?? element.className}: ${size}`);
    }
    return small;
}"""


PICTURES_FIT = """['left', 'right'].every((side) => {
    const place = document.getElementById(`${side}-picture`);
    return place.querySelector("svg").clientWidth === place.clientWidth;
})"""


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until it is reached, as somebody without a mouse does."""
    for _ in range(MOST_TABS):
        if wanted.evaluate("it => it === document.activeElement || it.contains(document.activeElement)"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{wanted} cannot be reached by Tab")


def seek(page: Page, at_s: int) -> None:
    """Tried again: what was before the page was opened comes after it."""

    def sought() -> bool:
        page.locator("#moment").evaluate(f"it => {{ it.value = {at_s * 1000}; it.dispatchEvent(new Event('input')) }}")
        page.evaluate("new Promise(requestAnimationFrame)")
        return (page.locator("#time-of").text_content() or "").startswith(f"0:{at_s:02d} of")

    assert until(sought)


def press(page: Page, wanted: Locator) -> None:
    tab_to(page, wanted)
    page.keyboard.press("Enter")


def assert_quiet(played: Played) -> None:
    """Nothing was asked of another origin, and the browser complained of nothing: not of the policy either."""
    assert [url for url in played.asked if not url.startswith(played.home + "/")] == []
    assert played.said == []


def predicted(page: Page) -> None:
    """Fill in the form without a mouse, and commit."""
    tab_to(page, page.get_by_label(LESSON.questions[0].text))
    page.keyboard.type("15")
    tab_to(page, page.get_by_label(LESSON.questions[1].text))
    page.keyboard.type("0")
    tab_to(page, page.get_by_label(LESSON.questions[2].choices[0].text))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    tab_to(page, page.locator("#reason"))
    page.keyboard.type("The others do not know them.")
    press(page, page.get_by_role("button", name="Commit my prediction"))


def test_an_episode_by_the_keyboard_alone(browser: Browser, tmp_path: Path) -> None:
    with on_stage(tmp_path / "w", "predict") as played:
        page = played.open(browser, key=True)
        expect(page.locator("#cover-what")).to_have_text("Covered until you commit a prediction")
        predicted(page)
        expect(page.locator("#own-answers")).to_contain_text("15 shoppers")
        (committed,) = read_predictions(played.stage.round_folder)
        assert committed.answers == {"left": "15", "right": "0", "you": "right"}
        expect(page.locator("#counted")).to_have_text("1 prediction is in.")

        press(page, page.get_by_role("button", name="Close predictions, let them shop"))
        expect(page.locator("#left-numbers [data-number=logged_out] .value")).to_have_text("10")
        expect(page.locator("#announcements[aria-live=polite]")).to_contain_text("People shop.")
        press(page, page.get_by_role("button", name="Kill", exact=True))
        expect(page.locator("#broken-list")).to_contain_text("Kill n1 both sides")
        press(page, page.get_by_role("button", name="Mend", exact=True))
        expect(page.locator("#broken")).to_be_hidden()
        expect(page.locator("#breaking-title")).to_be_focused()  # what was pressed is gone, the place is not

        press(page, page.get_by_role("button", name="Close the round"))
        rows = page.locator("#compared-rows tr")
        expect(rows.nth(0)).to_contain_text("5 too many")
        expect(rows.nth(1)).to_contain_text("as you said")
        expect(page.locator("#histograms tr.observed").first).to_contain_text("10")
        expect(page.locator("#explanation")).to_be_hidden()  # the room compares first
        press(page, page.get_by_text("The solution"))
        expect(page.locator("#explanation")).to_be_visible()
        expect(page.locator("#explanation")).to_contain_text(LESSON.explanation.partition(".")[0])
        expect(page.locator("#visit")).to_be_hidden()  # the shops are closed
        tab_to(page, page.get_by_role("link", name="The round’s report"))
        both = ("left", "right")
        # n1 serves them on the right; on the left, the node that served them is dead.
        assert played.stage.told == [Release(), Break("kill", both, "n1"), Heal(0), Close()]
        assert_quiet(played)


def test_the_instructor_is_asked_before_people_shop_without_a_prediction(browser: Browser, tmp_path: Path) -> None:
    with on_stage(tmp_path / "w", "predict") as played:
        page = played.open(browser, key=True)
        page.get_by_role("button", name="Close predictions, let them shop").click()
        asked = page.get_by_role("dialog")
        expect(asked.get_by_role("button", name="Wait")).to_be_focused()
        assert_axe_finds_nothing(page)
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert played.stage.told == []
        page.get_by_role("button", name="Close predictions, let them shop").click()
        asked.get_by_role("button", name="Let them shop", exact=True).click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert played.stage.told == [Release()]
        expect(page.locator("#commit-note")).to_contain_text("You are late")
        expect(page.locator("#faults")).to_be_hidden()  # what is covered is not broken blindly
        expect(page.locator("#close-round")).to_be_visible()


def test_who_has_not_committed_sees_nothing_even_late(browser: Browser, tmp_path: Path) -> None:
    with on_stage(tmp_path / "w", "run") as played:
        page = played.open(browser)
        expect(page.locator("#cover-what")).to_have_text("Covered until you commit a prediction")
        expect(page.locator("#commit-note")).to_contain_text("You are late")
        for part in ("#pair", "#time", "#controls", "#breaking", "#explain"):
            expect(page.locator(part)).to_be_hidden()
        predicted(page)
        expect(page.locator("#left-numbers [data-number=logged_out] .value")).to_have_text("10")
        expect(page.locator("#cover")).to_be_hidden()
        assert_quiet(played)


def test_a_dead_node_stays_and_a_loss_shows_its_witness(browser: Browser, tmp_path: Path) -> None:
    with on_stage(tmp_path / "w", "open", episode="") as played:
        page = played.open(browser)
        dead = page.locator(f'#left-picture [data-node="{VICTIM}"]')
        expect(dead).to_contain_text("dead")
        expect(dead).to_contain_text("memory gone")
        expect(page.locator(f'#right-picture [data-node="{VICTIM}"]')).to_contain_text("held nothing")
        expect(page.locator("#left-losses summary")).to_have_text("10 losses, each with its witness")
        assert dead.locator(".hatched").count() == dead.locator(".struck").count() == 1
        assert dead.locator(".name").evaluate("it => getComputedStyle(it).textDecorationLine") == "line-through"

        out = page.locator("#left-picture .shopper.logged_out")
        expect(out.first).to_be_visible()
        assert out.first.locator(".sign").get_attribute("d")  # a cross: another shape, not another colour alone
        assert "A" not in (out.first.locator(".body").get_attribute("d") or "")  # no arc: a square
        number = int(out.first.get_attribute("data-shopper") or 0)
        out.first.click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("heading", level=2)).to_have_text(f"Shopper {number}, left shop")
        expect(dialog.locator(".headline")).to_contain_text(f"Shopper {number} was logged out at ")
        expect(dialog).to_contain_text("The node that held the session in its memory was killed")
        told = dialog.locator(".story li:not(.left-out)")
        expect(told).to_have_count(10)
        expect(told.first).to_contain_text("login acknowledged")
        expect(told.last).to_contain_text("answered as a stranger (401)")
        expect(dialog.locator(".left-out")).to_contain_text("2 more")
        expect(dialog.locator(".counterfactual")).to_have_text(
            "Without killing n2 at 5.0 s, this session was good until 3,600.6 s."
        )
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)

        tab_to(page, page.locator("#left-picture .people"))  # and again without a mouse
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        expect(dialog.get_by_role("heading", level=2)).not_to_have_text(f"Shopper {number}, left shop")
        assert_quiet(played)


def test_shoppers_keep_their_place(browser: Browser, tmp_path: Path) -> None:
    with on_stage(tmp_path / "w", "open", episode="") as played:
        page = played.open(browser)
        expect(page.locator("#left-picture .shopper")).to_have_count(SHOPPERS)
        seats = """(side) => {
            const nodes = Object.fromEntries([...document.querySelectorAll(`#${side}-picture [data-node]`)]
                .map(it => [it.dataset.node, it.querySelector("rect").getBoundingClientRect()]));
            return Object.fromEntries([...document.querySelectorAll(`#${side}-picture .shopper`)].map(it => {
                const at = it.getScreenCTM();
                const [name, box] = Object.entries(nodes).find(([, box]) => box.left < at.e && at.e < box.right);
                return [it.dataset.shopper, [name, Math.round(at.e - box.left), Math.round(at.f - box.top)]];
            }));
        }"""
        live = page.evaluate(seats, "left"), page.evaluate(seats, "right")
        seek(page, 8)
        expect(page.locator("#time-of")).to_have_text("0:08 of 0:11")
        before = page.evaluate(seats, "left")
        moved = [shopper for shopper, (node, _, _) in before.items() if node != live[0][shopper][0]]
        assert sorted(map(int, moved)) == [loss.shopper for loss in losses()]
        for now in (*live, before):
            assert {shopper: place[1:] for shopper, place in now.items()} == {
                shopper: place[1:] for shopper, place in live[0].items()
            }


def test_pause_step_and_replay(browser: Browser, tmp_path: Path) -> None:
    with on_stage(tmp_path / "w", "open", episode="") as played:
        page = played.open(browser)
        count = page.locator("#left-numbers [data-number=logged_out] .value")
        expect(count).to_have_text("10")
        page.keyboard.press(" ")
        expect(page.locator("#mode")).to_have_text("standing still")
        seek(page, 8)
        expect(count).to_have_text("0")
        expect(page.locator("#time-of")).to_have_text("0:08 of 0:11")
        expect(page.locator("#not-live")).to_have_text("standing still")  # wherever one has scrolled to
        page.keyboard.press("ArrowRight")
        expect(page.locator(f'#left-picture [data-node="{VICTIM}"] .word')).to_have_text("dead")
        page.keyboard.press("ArrowLeft")
        expect(count).to_have_text("0")
        page.locator('#speeds input[value="5"]').check()
        page.locator("#replay").click()
        expect(page.locator("#mode")).to_have_text("replay, 5×")
        expect(page.locator("#mode")).to_have_text("live")  # it has caught up
        expect(count).to_have_text("10")
        page.keyboard.press("r")
        expect(page.locator("#mode")).to_have_text("replay, 5×")
        page.keyboard.press("l")
        expect(page.locator("#mode")).to_have_text("live")


def test_the_node_that_serves_me_and_what_is_refused(browser: Browser, tmp_path: Path) -> None:
    with on_stage(tmp_path / "w", "open", episode="") as played:
        page = played.open(browser, key=True)
        expect(page.locator('#right-picture [data-node="n1"]')).to_contain_text("★ you")
        form = page.locator('#shop-links [data-side="left"] form')
        expect(form.get_by_role("button", name="Log in to the left shop")).to_be_visible()
        assert form.get_attribute("action") == "http://127.0.0.1:1/login"
        assert form.locator("[name=password]").input_value() == "open-sesame"
        expect(page.locator('#shop-links [data-side="left"] .served')).to_have_text("n2 is dead: open your cart")
        expect(page.locator('#shop-links [data-side="right"] .served')).to_have_text("★ n1")

        # Proposed, with its reason: the left node that served them is dead already.
        expect(page.get_by_label("Victim").locator("option:checked")).to_have_text("n1 ★ serves you")
        page.get_by_label("Victim").select_option("n3")
        page.locator("#where input[value=left]").check()
        expect(page.get_by_label("Victim")).to_have_value("n3")  # who has chosen is not overruled
        page.get_by_role("button", name="Kill", exact=True).click()
        expect(page.locator("#broken-list li")).to_have_count(1)
        assert played.stage.told == [Break("kill", ("left",), "n3")]
        played.stage.refusal = CommandReply(False, "n2 is dead already", "mend it first")
        page.get_by_role("button", name="Kill the store").click()
        expect(page.locator("#refusal")).to_have_text("n2 is dead already. Next: mend it first.")


def test_a_lost_connection_is_told_and_resumed(browser: Browser, tmp_path: Path) -> None:
    with on_stage(tmp_path / "w", "open", episode="") as played:
        page = played.open(browser)
        expect(page.locator("#left-numbers [data-number=logged_out] .value")).to_have_text("10")
        full = '{"error": "60 people watch already", "why": "more would disturb what is measured"}'
        page.route("**/events", lambda route: route.fulfill(status=503, body=full, content_type="application/json"))
        page.reload()
        expect(page.locator("#connection-text")).to_contain_text("Connection lost")
        expect(page.locator("#connection-why")).to_contain_text("60 people watch already")
        page.unroute("**/events")
        expect(page.locator("#connection")).to_be_hidden(timeout=10_000)
        expect(page.locator("#left-numbers [data-number=logged_out] .value")).to_have_text("10")


def test_the_end_of_the_workshop_is_no_lost_connection(browser: Browser, tmp_path: Path) -> None:
    with on_stage(tmp_path / "w", "open", episode="") as played:
        page = played.open(browser)
        expect(page.locator("#left-numbers [data-number=logged_out] .value")).to_have_text("10")
        expect(page.locator("#left-room")).to_have_text("room: 0 of 1 out")  # they have not looked yet
        played.ends()
        expect(page.locator("#connection-text")).to_have_text("The workshop is over")


@pytest.mark.parametrize("part", ["stream.js", "main.js", "uPlot.iife.min.js", "picture.css"])
def test_a_page_that_has_come_in_part_is_loaded_again(browser: Browser, tmp_path: Path, part: str) -> None:
    with on_stage(tmp_path / "w", "open", episode="") as played:
        context = browser.new_context()
        context.route(f"**/{part}", lambda route: route.abort(), times=1)
        page = context.new_page()
        with page.expect_response("**/healthz"):
            page.goto(played.home)
        expect(page.locator("#left-numbers [data-number=logged_out] .value")).to_have_text("10")
        expect(page.locator("#left-picture [data-node]").first).to_be_visible()


def test_a_question_that_was_cut_off_is_asked_again(browser: Browser, tmp_path: Path) -> None:
    with on_stage(tmp_path / "w", "open", episode="") as played:
        context = browser.new_context()
        context.route("**/api/me", lambda route: route.abort(), times=2)
        page = context.new_page()
        page.goto(f"{played.home}/?key={TOKEN}")
        expect(page.get_by_role("button", name="Kill", exact=True)).to_be_visible()  # it knows the instructor


def test_minutes_and_the_end_are_the_instructors(browser: Browser, tmp_path: Path) -> None:
    with on_stage(tmp_path / "w", "predict") as played:
        page, other = played.open(browser, key=True), played.open(browser)
        expect(page.locator("#lesson-number")).to_have_text(f"Episode 2, {LESSON.minutes} minutes")
        expect(other.locator("#lesson-number")).to_have_text("Episode 2")
        expect(other.locator("#controls")).to_be_hidden()
        page.get_by_role("button", name="End the workshop").click()
        page.get_by_role("dialog").get_by_role("button", name="Go on").click()
        assert played.stage.told == []
        page.get_by_role("button", name="End the workshop").click()
        page.get_by_role("dialog").get_by_role("button", name="End it").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert played.stage.told == [EndWorkshop()]


@pytest.mark.parametrize("dark", [False, True])
def test_the_door_to_a_room(browser: Browser, tmp_path: Path, dark: bool) -> None:
    with on_stage(tmp_path / "w", "predict", join_code="apple-42") as played:
        page = played.open(browser, width=390, dark=dark)
        expect(page.get_by_label("The code on the instructor’s screen")).to_be_focused()
        assert_axe_finds_nothing(page)
        page.keyboard.type("pear-1")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("this is not the join code: there is no i, l or o in it")
        assert_axe_finds_nothing(page)
        page.keyboard.type("APPLE 42")
        page.keyboard.press("Enter")
        expect(page.locator("#lesson-title")).to_have_text(LESSON.title)
        page.goto(played.home + "/nowhere")
        expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")
        assert_axe_finds_nothing(page)


def test_projected_letters_are_large_and_light(browser: Browser, tmp_path: Path) -> None:
    with on_stage(tmp_path / "w", "open", episode="") as played:
        page = played.open(browser, key=True, width=1920, height=1080, dark=True, path="/?projector=1")
        expect(page.locator("#left-picture .logged_out").first).to_be_visible()
        page.evaluate("document.querySelectorAll('details').forEach(it => { it.open = true })")
        assert page.evaluate(SMALL_LETTERS) == []
        assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(252, 251, 248)"
        axes = "Array.from(document.querySelectorAll('#charts canvas')).map(it => it.getContext('2d').font)"
        assert all(float(font.split("px")[0].split()[-1]) >= SMALLEST_PROJECTED_PX for font in page.evaluate(axes))
        page.locator("#projector").click()
        expect(page.locator("html")).not_to_have_class("projector")
        assert len(page.evaluate(SMALL_LETTERS)) > 10


def test_nothing_is_wider_than_the_screen(browser: Browser, tmp_path: Path) -> None:
    with on_stage(tmp_path / "w", "predict", predict=True) as played:
        page = played.open(browser, key=True)
        predicted(page)
        played.stage.goes_to("run")
        played.stage.handle(Close())
        for width in (1280, 768, 390, 320):
            page.set_viewport_size({"width": width, "height": 900})
            expect(page.locator("#histograms table").first).to_be_visible()
            assert until(lambda width=width: page.evaluate("document.documentElement.scrollWidth") <= width)  # type: ignore[misc]
            assert until(lambda: page.evaluate(PICTURES_FIT))


def test_dots_glide_only_where_motion_is_welcome(browser: Browser, tmp_path: Path) -> None:
    with on_stage(tmp_path / "w", "open", episode="") as played:
        takes = "getComputedStyle(document.querySelector('.shopper')).transitionDuration"
        for motion, seconds in ((True, "0.35s"), (False, "0s")):
            page = played.open(browser, motion=motion)
            expect(page.locator("#left-picture .shopper").first).to_be_visible()
            assert page.evaluate(takes) == seconds
        page = played.open(browser, motion=True)
        expect(page.locator("#right-picture .shopper").first).to_be_visible()
        seek(page, 8)
        page.keyboard.press("ArrowLeft")  # there a third of all shoppers moves with each frame
        expect(page.locator("#right-picture .people")).to_have_class("people hopping")
