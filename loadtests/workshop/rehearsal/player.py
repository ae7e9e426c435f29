"""Plays an episode's script: does what a person would do in the browser, and sees what they would see."""

import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import requests

from compose.applications import SHIPPED
from compose.supervision.waiting import wait_for
from loadtests.model.formulas import is_true
from loadtests.workshop.contract import Break, Close, Heal, Phase, Release, RoundSide, SideName
from loadtests.workshop.episode import Episode, ScriptStep
from loadtests.workshop.rehearsal.dashboard_client import DashboardClient, DashboardView, RoomVisitor
from shared.errors import TwinshopError

Said = TypeVar("Said")
KNOWN = {"known": True, "stranger": False}  # in a script's words
RELEASE_WITHIN_S = 120.0
FATE_WITHIN_S = 60.0  # until a shop says whether it knows somebody: it may be busy dying, and people reload the page
LOOK_S = 0.1
EXPLAIN_WITHIN_S = 240.0  # the last audit, judging and the report
# What tells results; covered until a prediction is committed.
RESULT_URLS = ("/api/frames", "/api/losses/left/0", "/api/observed")


class Player:
    """One episode, from `predict` to `explain`. `complaints` are promises of the dashboard that did not come true."""

    def __init__(self, client: DashboardClient, episode: Episode, visitor: RoomVisitor) -> None:
        self.complaints: list[str] = []
        self._watcher = client
        self._visitor = visitor
        self._episode = episode
        self._nodes: dict[SideName, str] = {}  # who answered the person last, in each shop

    def play(self) -> None:
        """All steps.

        Raises:
            TwinshopError: one could not be carried out, or what it waits for did not come.
        """
        do: dict[str, Callable[[ScriptStep], None]] = {
            "predict": self._predict, "release": self._release, "enter": self._enter, "look": self._look,
            "wait": self._wait, "break": self._break, "heal": self._heal, "close": self._close,
        }  # fmt: skip
        for step in self._episode.script:
            do[step.do](step)

    def _predict(self, step: ScriptStep) -> None:
        """Nothing is to be seen before it, it counts once, and it cannot be changed."""
        for url in RESULT_URLS:
            self._expect(self._watcher.get(url), requests.codes.forbidden, f"{url} before the prediction")
        self._expect_card(open_=False)
        if {"picture", "frame"} & set(self._watcher.seen.names_of_round):
            self.complaints.append("a picture was sent before the prediction was committed")
        made = self._watcher.predicts(step.answers, step.reason)
        self._expect(made, requests.codes.created, "the prediction")
        theirs = self._visitor.predicts(step.answers, step.reason)
        self._expect(theirs, requests.codes.created, "the prediction of a participant on another device")
        again = self._watcher.predicts(step.answers, step.reason)
        self._expect(again, requests.codes.conflict, "a second prediction")

    def _release(self, _step: ScriptStep) -> None:
        self._watcher.command(Release())
        self._wait_for_phase("run", RELEASE_WITHIN_S)

    def _enter(self, step: ScriptStep) -> None:
        """Where the form is answered by whoever is next, one tries again; a person would, too."""
        for side in self._sides():
            if side.side in step.sides:
                _served(partial(self._watcher.logs_in, side.shop_url)).raise_for_status()
                self._watcher.asks_shop(side.shop_url, "add", sku=SHIPPED.interface.articles[0], quantity=1)
                self._nodes[side.side] = self._watcher.node
                entered = _served(partial(self._visitor.logs_in, side.shop_url))
                self._expect(entered, requests.codes.ok, f"a participant's login to the {side.side} shop")

    def _look(self, step: ScriptStep) -> None:
        for side in self._sides():
            wanted = step.left if side.side == "left" else step.right
            if wanted and (known := _answer_of(partial(self._watcher.is_known, side))) is not KNOWN[wanted]:
                found = "known" if known else "not served" if known is None else "a stranger"
                self.complaints.append(f"the person in the {side.side} shop is {found}, not {wanted}")
            if wanted:
                self._nodes[side.side] = self._watcher.node
        self._look_from_elsewhere()

    def _look_from_elsewhere(self) -> None:
        """What the dashboard tells of a participant must be what they see themselves, on their own device."""
        user = self._visitor.me()["user"]
        for side in self._sides():
            known = _answer_of(partial(self._visitor.is_known, side))
            if known is not None:
                what = f"a participant is {'known' if known else 'a stranger'} in the {side.side} shop"
                self._watcher.wait_until(what, _told_of(side.side, user, known), FATE_WITHIN_S)

    def _sides(self) -> tuple[RoundSide, ...]:
        assert self._watcher.seen.workshop is not None
        return self._watcher.seen.workshop.round.sides

    def _wait(self, step: ScriptStep) -> None:
        self._watcher.wait_until(step.until, lambda seen: is_true(step.until, seen.values()), step.within_s)

    def _break(self, step: ScriptStep) -> None:
        victim = self._nodes["left"] if step.victim == "mine" else step.victim
        self._watcher.command(Break(step.kind, step.sides, victim))

    def _heal(self, _step: ScriptStep) -> None:
        self._watcher.command(Heal())

    def _close(self, _step: ScriptStep) -> None:
        if self._watcher.seen.phase == "run":  # it may have ended by itself
            self._watcher.command(Close())
        self._wait_for_phase("explain", EXPLAIN_WITHIN_S)
        report = self._watcher.get("/report")
        self._expect(report, requests.codes.ok, "the report")
        self._expect_card(open_=True)

    def _wait_for_phase(self, phase: Phase, within_s: float) -> None:
        self._watcher.wait_until(f"phase {phase}", lambda seen: seen.phase == phase, within_s)

    def _expect_card(self, *, open_: bool) -> None:
        """Solution and explanation are there at the end, and not before the prediction."""
        card = self._watcher.get("/api/episode").json()
        told = {"the explanation": "explanation" in card, "the solution": self._episode.tips[2] in card.get("tips", ())}
        when = "at the end" if open_ else "before the prediction"
        self.complaints += [f"{what} is {'' if is_there else 'not '}told {when}"
                            for what, is_there in told.items() if is_there is not open_]  # fmt: skip

    def _expect(self, answer: requests.Response, status: int, what: str) -> None:
        if answer.status_code != status:
            self.complaints.append(f"{what}: answered with {answer.status_code}, not {status}: {answer.text[:200]}")


def _answer_of(look: Callable[[], Said | None]) -> Said | None:
    return wait_for(look, until=time.monotonic() + FATE_WITHIN_S, every_s=LOOK_S)


def _served(ask: Callable[[], requests.Response]) -> requests.Response:
    """The answer of a shop; a person whom a busy one tells that it is busy asks again."""
    until = time.monotonic() + FATE_WITHIN_S
    while (answer := ask()).status_code >= requests.codes.server_error and time.monotonic() < until:
        time.sleep(LOOK_S)
    return answer


def begin(client: DashboardClient, episode: Episode, within_s: float) -> None:
    """Wait until the dashboard shows that episode's beginning.

    Raises:
        TwinshopError: it did not in time.
    """

    def begun(seen: DashboardView) -> bool:
        now = seen.workshop.round if seen.workshop else None
        return now is not None and now.episode == episode.name and now.phase == "predict"

    client.wait_until(f"the beginning of episode {episode.number}", begun, within_s)


def _told_of(side: SideName, user: str, known: bool) -> Callable[[DashboardView], bool]:
    def is_told(seen: DashboardView) -> bool:
        guests = (seen.picture.left if side == "left" else seen.picture.right).guests
        return any(guest.user == user and guest.logged_in is known for guest in guests)

    return is_told


def check_observed(client: DashboardClient, wanted: dict[str, str]) -> list[str]:
    """What the dashboard puts beside the prediction must be what the run's files say."""
    answer = client.get("/api/observed")
    if not answer.ok:
        raise TwinshopError("the dashboard does not say what was observed", why=answer.text[:200])
    said = {name: "" if value is None else f"{value:g}" if isinstance(value, float | int) else value
            for name, value in answer.json().items()}  # fmt: skip
    return [] if said == wanted else [f"the dashboard says that {said} was observed, the run's files say {wanted}"]
