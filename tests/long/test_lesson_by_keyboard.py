"""The whole lesson by the keyboard alone: each step of each episode, in a real browser, on real clusters."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from loadtests.model.formulas import is_true
from loadtests.workshop.contract import SIDES, SideName
from loadtests.workshop.episode import Episode, ScriptStep
from loadtests.workshop.episode_file import load_episodes
from loadtests.workshop.rehearsal.dashboard_client import DashboardClient
from tests.loadtests.workshop.dashboard.test_page_in_browser import press, tab_to
from tests.loadtests.workshop.whole_workshop import SHOPPERS, WholeWorkshop, whole_workshop
from tests.waiting import until

pytestmark = [pytest.mark.long, pytest.mark.browser, pytest.mark.timeout(1500)]
SHOWN_WITHIN_MS = 90_000
TRIES = 20
TITLES = {"known": "Your cart", "stranger": "This shop does not know you any more"}


def filled(shop: Page) -> bool:
    """Something is put into the cart, and the shop shows it."""
    with shop.expect_navigation():
        press(shop, shop.get_by_role("button", name="to the cart").first)
    held = shop.locator(".basket b")
    return held.count() > 0 and held.text_content() != "0"


def title_of(shop: Page) -> str | None:
    return shop.get_by_role("heading", level=1).text_content()


class KeyboardPerson:
    """The instructor, who also shops, without a mouse. `observer` is a second browser that tells what is shown."""

    def __init__(self, page: Page, workshop: WholeWorkshop, observer: DashboardClient) -> None:
        self.page = page
        self._workshop = workshop
        self._observer = observer

    def plays(self, episode: Episode) -> None:
        expect(self.page.locator("#lesson-title")).to_have_text(episode.title)
        expect(self.page.locator("#prediction")).to_be_visible()
        for tip in self.page.locator("#tips summary").all():
            press(self.page, tip)
        expect(self.page.locator("#tips details[open]")).to_have_count(2)  # the solution is not told yet
        do = {
            "predict": self._predicts, "release": self._releases, "enter": self._enters, "look": self._looks,
            "wait": self._waits, "break": self._breaks, "heal": self._mends, "close": self._closes,
        }  # fmt: skip
        for step in episode.script:
            do[step.do](step, episode)

    def begins_the_next(self) -> None:
        press(self.page, self.page.get_by_role("button", name="Begin", exact=True))

    def opens_a_loss(self, side: SideName) -> None:
        losses = self.page.locator(f"#{side}-losses")
        if losses.get_attribute("open") is None:
            press(self.page, losses.locator("summary"))
        press(self.page, losses.locator("ol button").first)
        expect(self.page.locator("#witness .story")).to_be_visible()
        self.page.keyboard.press("Escape")
        expect(self.page.get_by_role("dialog")).to_have_count(0)
        # Folded again from its first entry: there may be a hundred of them to the next thing on the page.
        self.page.keyboard.press("Shift+Tab")
        self.page.keyboard.press("Enter")
        expect(losses.locator("ol")).to_be_hidden()

    def opens_what_single_keys_open(self) -> None:
        self.page.locator("h1").evaluate("it => { it.tabIndex = -1; it.focus() }")
        self.page.keyboard.press("?")
        expect(self.page.locator("#help")).to_be_visible()
        self.page.keyboard.press("Escape")
        for projected in (True, False):
            self.page.keyboard.press("p")
            expect(self.page.locator("#projector")).to_have_attribute("aria-pressed", str(projected).lower())

    def ends(self) -> None:
        press(self.page, self.page.get_by_role("button", name="End the workshop"))
        press(self.page, self.page.get_by_role("dialog").get_by_role("button", name="End it"))

    def _predicts(self, step: ScriptStep, episode: Episode) -> None:
        assert self._observer.predicts(step.answers, step.reason).ok
        for question in episode.questions:
            answer = step.answers[question.id]
            if question.kind == "number":
                tab_to(self.page, self.page.get_by_label(question.text))
                self.page.keyboard.type(answer)
                continue
            radios = self.page.locator(f'[name="q-{question.id}"]')
            tab_to(self.page, radios.first)
            self.page.keyboard.press("Space")
            for _ in range([choice.value for choice in question.choices].index(answer)):
                self.page.keyboard.press("ArrowDown")
            expect(self.page.locator(f'[name="q-{question.id}"]:checked')).to_have_value(answer)
        tab_to(self.page, self.page.locator("#reason"))
        self.page.keyboard.type(step.reason)
        press(self.page, self.page.get_by_role("button", name="Commit my prediction"))
        expect(self.page.locator("#prediction")).to_be_hidden()

    def _releases(self, _step: ScriptStep, _episode: Episode) -> None:
        press(self.page, self.page.get_by_role("button", name="Close predictions, let them shop"))
        expect(self.page.get_by_role("button", name="Close the round")).to_be_visible()

    def _enters(self, step: ScriptStep, episode: Episode) -> None:
        """Where the next node is asked each time, one may be a stranger again at once: that is the first episode."""
        for side in step.sides:
            button = self.page.get_by_role("button", name=f"Log in to the {side} shop")
            expect(button).to_be_visible()
            forgets = episode.architectures[SIDES.index(side)] == "roundrobin-memory"
            self._opens(button, until=lambda shop, forgets=forgets: forgets or filled(shop))  # type: ignore[misc]
            expect(self.page.locator(f'#shop-links [data-side="{side}"] .served')).not_to_have_text(
                "not seen there yet"
            )

    def _looks(self, step: ScriptStep, _episode: Episode) -> None:
        for side in SIDES:
            wanted = step.left if side == "left" else step.right
            if wanted:
                link = self.page.locator(f'#shop-links [data-side="{side}"] a')
                self._opens(link, until=lambda shop, wanted=wanted: title_of(shop) == TITLES[wanted])  # type: ignore[misc]

    def _opens(self, pressed: Locator, *, until: Callable[[Page], bool]) -> None:
        """The shop, in a tab of its own, which is closed again; once more if no node has answered, or it is not so."""
        for _ in range(TRIES):
            with self.page.context.expect_page() as opened:
                press(self.page, pressed)
            shop = opened.value
            shop.wait_for_load_state()
            so = shop.locator("footer .node").count() > 0 and until(shop)
            shop.close()
            self.page.bring_to_front()
            if so:
                return
        pytest.fail(f"{pressed} led to no shop in which it is so")

    def _waits(self, step: ScriptStep, _episode: Episode) -> None:
        self._observer.wait_until(step.until, lambda seen: is_true(step.until, seen.values()), SHOWN_WITHIN_MS / 1000)

    def _breaks(self, step: ScriptStep, _episode: Episode) -> None:
        wanted = "both" if len(step.sides) > 1 else step.sides[0]
        side = self.page.locator('input[name="fault-side"]:checked')
        tab_to(self.page, side)
        while side.input_value() != wanted:
            self.page.keyboard.press("ArrowDown")
        if step.victim == "mine":
            expect(self.page.locator("#victim option:checked")).to_contain_text("★ serves you")
        elif step.victim:
            tab_to(self.page, self.page.locator("#victim"))
            self.page.keyboard.type(step.victim)
            assert self.page.locator("#victim").input_value() == step.victim
        press(self.page, self.page.locator(f'#fault-buttons [data-kind="{step.kind}"]'))
        expect(self.page.locator("#broken-list li").first).to_be_visible()

    def _mends(self, _step: ScriptStep, _episode: Episode) -> None:
        """One by one where one is broken, all at once where there are more."""
        everything = self.page.get_by_role("button", name="Mend everything")
        one = self.page.get_by_role("button", name="Mend", exact=True).first
        press(self.page, everything if everything.is_visible() else one)

    def _closes(self, _step: ScriptStep, episode: Episode) -> None:
        """Where the story needs a clock, the round ends by itself."""
        if episode.scenario.load.behaviour == "shop":
            press(self.page, self.page.get_by_role("button", name="Close the round"))
        expect(self.page.locator("#compared-rows tr")).to_have_count(len(episode.questions))
        tab_to(self.page, self.page.get_by_role("link", name="The round’s report"))
        with self.page.context.expect_page() as opened:
            self.page.keyboard.press("Enter")
        expect(opened.value.locator("#n-answer")).to_be_visible()
        opened.value.close()
        self.page.bring_to_front()


def test_every_step_of_every_episode_without_a_mouse(tmp_path: Path, chromium: Browser) -> None:
    episodes = [episode.of_so_many(SHOPPERS) for episode in load_episodes()]  # its texts name the round's number
    with ExitStack() as last:
        workshop = last.enter_context(whole_workshop(tmp_path, "--episode", "1"))
        workshop.reaches("predict")
        observer = last.enter_context(DashboardClient(workshop.opened["instructor_url"]))
        context = chromium.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        last.callback(context.close)
        context.set_default_timeout(SHOWN_WITHIN_MS)
        expect.set_options(timeout=SHOWN_WITHIN_MS)
        page = context.new_page()
        page.goto(workshop.opened["instructor_url"])
        person = KeyboardPerson(page, workshop, observer)
        person.opens_what_single_keys_open()
        for number, episode in enumerate(episodes, 1):
            workshop.reaches("predict", number)
            person.plays(episode)
            if not episode.buttons:  # then its losses are what there is to be opened
                person.opens_a_loss("right")
            if episode is not episodes[-1]:
                person.begins_the_next()
            else:
                person.ends()
        assert until(lambda: workshop.process.poll() is not None, 60.0)
        assert workshop.end()[0] == 0
