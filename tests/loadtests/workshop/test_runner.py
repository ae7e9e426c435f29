"""A workshop without clusters: which command does what in which phase, and what becomes of a round that goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from compose.engines.contract import Engine
from loadtests.running.progress import Silent
from loadtests.workshop import runner as module
from loadtests.workshop.contract import (
    Begin,
    Break,
    Close,
    Command,
    CommandReply,
    EndWorkshop,
    Heal,
    LiveFault,
    Phase,
    Release,
    Round,
    Workshop,
)
from loadtests.workshop.listen_addresses import ListenAddress
from loadtests.workshop.live_side import RoundStart
from loadtests.workshop.round_spec import WorkshopRequest
from loadtests.workshop.runner import StateFile, WorkshopRunner
from shared.errors import EnvironmentNotReady, Interrupted, UsageError
from tests.loadtests.workshop.rounds import answered
from tests.waiting import until

EPISODE = "kill-one-of-three"
KILL = Break("kill", ("left",))


class PaperRound:
    """Stands in for `LiveRound`: it stands, breaks, fails and is over when the test says so."""

    made: list[PaperRound]
    stand_at_once = True
    cannot_be_made: UsageError | None = None

    def __init__(self, number: int, spec: Any, *_: object) -> None:
        if self.cannot_be_made is not None:
            raise self.cannot_be_made
        self.number, self.spec = number, spec
        self.folder = SimpleNamespace(root=Path(f"round-{number}"))
        self.provenance = SimpleNamespace(run="1a2b3c4d")
        self.plan = SimpleNamespace(shoppers=(1, 2, 3))
        self.faults = self
        self.standing = self.stand_at_once
        self.failed: Exception | None = None
        self.time_is_over = False
        self.fails_to_close: Exception | None = None
        self.calls: list[str] = []
        self.may_close = threading.Event()
        self.may_close.set()
        self.made.append(self)

    def start(self) -> None:
        self.calls.append("start")

    def stands(self) -> bool:
        return self.standing

    def release(self) -> RoundStart:
        self.calls.append("release")
        return RoundStart(1, 1_700_000_000_000_000)

    def failure(self) -> Exception | None:
        return self.failed

    def overdue(self, before_ms: int) -> bool:
        return self.time_is_over

    def close(self) -> None:
        self.calls.append("close")
        assert self.may_close.wait(30)
        if self.fails_to_close is not None:
            raise self.fails_to_close

    def abandon(self) -> None:
        self.calls.append("abandon")

    def finish(self) -> object:
        self.calls.append("finish")
        return SimpleNamespace(answer="Nobody was logged out.")

    def told_sides(self) -> tuple[()]:
        return ()

    def buttons(self) -> tuple[()]:
        return ()

    def make(self, command: Break) -> None:
        self.calls.append(f"break {command.kind}")

    def heal(self, command: Heal) -> None:
        self.calls.append("heal")

    def broken(self) -> tuple[LiveFault, ...]:
        return (LiveFault(0, ("left",), "kill", "n1"),)


class Heard(Silent):
    """What was said on the terminal."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)


class Held:
    """A session that runs in a thread of its own."""

    def __init__(self, folder: Path, *, predict: bool = True, first: str = "", shoppers: int | None = None) -> None:
        self.state_file = StateFile(folder, predict=predict, episodes=(EPISODE,))
        self.said = Heard()
        self.session = WorkshopRunner(
            WorkshopRequest(predict=predict, shoppers=shoppers),
            cast("Engine", None),
            folder,
            self.state_file,
            self.said,
            ListenAddress(),
        )
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(first,), daemon=True)
        self._thread.start()

    def _run(self, first: str) -> None:
        try:
            self.session.run(first)
        except BaseException as error:  # noqa: BLE001
            self.error = error

    def handle(self, command: Command) -> CommandReply:
        return answered(lambda: self.session.handle(command))

    def reaches(self, phase: Phase, number: int = 1) -> bool:
        return until(lambda: (self.told().phase, self.told().number) == (phase, number))

    def told(self) -> Round:
        return (
            msgspec.json.decode(self.state_file.path.read_bytes(), type=Workshop).round
            if self.state_file.path.exists()
            else (Round(0, "starting"))
        )

    def is_over(self) -> bool:
        self._thread.join(30)
        return not self._thread.is_alive()


@pytest.fixture(autouse=True)
def paper(monkeypatch: pytest.MonkeyPatch) -> type[PaperRound]:
    monkeypatch.setattr(PaperRound, "made", [], raising=False)
    monkeypatch.setattr(module, "LiveRound", PaperRound)
    return PaperRound


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Callable[..., Held]]:
    held: list[Held] = []

    def begin(**asked: Any) -> Held:
        held.append(Held(tmp_path, **asked))
        return held[-1]

    yield begin
    for each in held:
        each.handle(EndWorkshop())
        assert each.is_over()


def refused(held: Held, *commands: Command) -> list[str]:
    replies = [held.handle(command) for command in commands]
    assert not any(reply.ok for reply in replies)
    return [reply.why for reply in replies]


@pytest.mark.parametrize(
    ("predict", "first", "told"), [(True, "", True), (False, EPISODE, True), (True, EPISODE, False)]
)
def test_the_terminal_tells_no_answer_that_may_be_covered(
    hold: Callable[..., Held], predict: bool, first: str, told: bool
) -> None:
    held = hold(predict=predict, first=first)
    if not told:
        assert held.reaches("predict")
        assert held.handle(Release()).ok
    assert held.reaches("run" if first else "open")
    assert held.handle(Close()).ok
    assert held.reaches("explain")
    free = "free play, no prediction was asked: "
    assert (f"{'' if first else free}Nobody was logged out." in held.said.lines) is told


def test_free_play_is_open_at_once(hold: Callable[..., Held], paper: type[PaperRound]) -> None:
    held = hold()
    assert held.reaches("open")
    assert (held.told().episode, held.told().epoch_us) == ("", 1_700_000_000_000_000)
    assert held.handle(KILL).ok
    assert held.handle(Heal()).ok
    assert held.handle(Close()).ok
    assert held.reaches("explain")
    assert paper.made[0].calls == ["start", "release", "break kill", "heal", "close", "finish"]


def test_an_episode_waits_until_the_predictions_are_closed(hold: Callable[..., Held], paper: type[PaperRound]) -> None:
    held = hold(first=EPISODE)
    assert held.reaches("predict")
    assert (held.told().episode, held.told().epoch_us) == (EPISODE, 0)
    assert refused(held, KILL, Heal(), Close()) == ["nobody shops now: the round is in 'predict'"] * 3
    assert paper.made[0].calls == ["start"], "nobody was let in, nothing was broken"
    assert held.handle(Release()).ok
    assert held.reaches("run")
    assert held.handle(KILL).ok


def test_without_predictions_an_episode_begins_at_once(hold: Callable[..., Held]) -> None:
    assert hold(first=EPISODE, predict=False).reaches("run")


def test_while_it_starts_nothing_can_be_done(
    hold: Callable[..., Held], paper: type[PaperRound], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper, "stand_at_once", False)
    held = hold(shoppers=12)
    assert held.reaches("starting")
    assert held.told().shoppers == 12  # the page tells of so many already
    assert until(lambda: paper.made)
    assert refused(held, KILL, Heal(), Close()) == ["nobody shops now: the round is in 'starting'"] * 3
    assert refused(held, Release()) == ["nobody waits to be let in: the round is in 'starting'"]
    paper.made[0].standing = True
    assert held.reaches("open")


def test_while_it_closes_nothing_more_is_broken(hold: Callable[..., Held], paper: type[PaperRound]) -> None:
    held = hold()
    assert held.reaches("open")
    paper.made[0].may_close.clear()
    assert held.handle(Close()).ok
    assert refused(held, KILL, Close()) == ["nobody shops now: the round is in 'closing'"] * 2
    assert held.reaches("closing")
    assert refused(held, KILL, Heal(), Close(), Release())[:3] == ["nobody shops now: the round is in 'closing'"] * 3
    paper.made[0].may_close.set()
    assert held.reaches("explain")
    assert refused(held, KILL)[0] == "nobody shops now: the round is in 'explain'"
    assert held.told().broken == ()


def test_predictions_can_be_closed_once(hold: Callable[..., Held]) -> None:
    held = hold(first=EPISODE)
    assert held.reaches("predict")
    assert held.handle(Release()).ok
    assert held.reaches("run")
    assert refused(held, Release()) == ["nobody waits to be let in: the round is in 'run'"]


def test_a_round_whose_time_is_over_closes_itself(hold: Callable[..., Held], paper: type[PaperRound]) -> None:
    held = hold()
    assert held.reaches("open")
    paper.made[0].time_is_over = True
    assert held.reaches("explain")


def test_another_round_closes_the_one_that_is_open(hold: Callable[..., Held], paper: type[PaperRound]) -> None:
    held = hold()
    assert held.reaches("open")
    assert held.handle(Begin("2")).ok
    assert held.reaches("predict", 2)
    assert held.told().episode == EPISODE
    assert paper.made[0].calls == ["start", "release", "close", "finish"]
    assert held.handle(Begin()).ok
    assert held.reaches("open", 3)
    assert paper.made[1].calls == ["start", "abandon", "finish"], "nobody had shopped: there is nothing to audit"


def test_an_episode_that_there_is_not(hold: Callable[..., Held]) -> None:
    held = hold()
    assert held.reaches("open")
    with pytest.raises(UsageError, match="no episode 'ninety-nine'"):
        held.session.handle(Begin("ninety-nine"))
    assert held.told().number == 1


def test_a_cluster_that_cannot_start_fails_its_round_and_no_other(
    hold: Callable[..., Held], paper: type[PaperRound], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper, "stand_at_once", False)
    held = hold()
    assert until(lambda: paper.made)
    paper.made[0].failed = EnvironmentNotReady("n1 did not become ready", why="no memory")
    assert held.reaches("failed")
    assert "n1 did not become ready" in held.told().why
    assert "no memory" in held.told().why
    assert paper.made[0].calls == ["start", "abandon", "finish"]
    monkeypatch.setattr(paper, "stand_at_once", True)
    assert held.handle(Begin()).ok
    assert held.reaches("open", 2)
    assert held.told().why == ""


@pytest.mark.parametrize(
    "error", [EnvironmentNotReady("the shoppers are gone"), ZeroDivisionError("by zero")], ids=repr
)
def test_what_goes_wrong_in_the_middle_fails_the_round(
    hold: Callable[..., Held], paper: type[PaperRound], error: Exception
) -> None:
    held = hold()
    assert held.reaches("open")
    paper.made[0].failed = error
    assert held.reaches("failed")
    assert str(error) in held.told().why
    assert held.told().broken == ()
    assert refused(held, KILL) == ["nobody shops now: the round is in 'failed'"]


def test_what_goes_wrong_at_the_end_fails_it_too(hold: Callable[..., Held], paper: type[PaperRound]) -> None:
    held = hold()
    assert held.reaches("open")
    paper.made[0].fails_to_close = EnvironmentNotReady("the engine is gone")
    held.handle(Close())
    assert held.reaches("failed")
    assert paper.made[0].calls[-2:] == ["abandon", "finish"]


def test_a_folder_that_cannot_be_made_fails_the_round(
    hold: Callable[..., Held], paper: type[PaperRound], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper, "cannot_be_made", UsageError("cannot make the round's folder"))
    held = hold()
    assert held.reaches("failed")
    assert "cannot make the round's folder" in held.told().why


@pytest.mark.parametrize("first", ["", EPISODE])
def test_the_end_closes_what_is_open(hold: Callable[..., Held], paper: type[PaperRound], first: str) -> None:
    held = hold(first=first)
    assert held.reaches("predict" if first else "open")
    assert held.handle(EndWorkshop()).ok
    assert held.is_over()
    assert held.error is None
    assert paper.made[0].calls[-2:] == (["abandon", "finish"] if first else ["close", "finish"])
    assert held.handle(KILL) == CommandReply(False, "the workshop is over", "twinshop workshop")


def test_interrupted_it_stops_everything_and_judges_what_there_is(
    hold: Callable[..., Held], paper: type[PaperRound]
) -> None:
    held = hold()
    assert held.reaches("open")
    paper.made[0].failed = Interrupted("interrupted by SIGINT")
    assert held.is_over()
    assert isinstance(held.error, Interrupted)
    assert paper.made[0].calls[-2:] == ["abandon", "finish"]


def test_each_change_is_a_new_version(hold: Callable[..., Held]) -> None:
    held = hold()
    assert held.reaches("open")
    first = msgspec.json.decode(held.state_file.path.read_bytes(), type=Workshop)
    held.session._tell_broken()
    then = msgspec.json.decode(held.state_file.path.read_bytes(), type=Workshop)
    assert then.version == first.version + 1
    assert [fault.kind for fault in then.round.broken] == ["kill"]
    assert held.state_file.path.stat().st_mode & 0o777 == 0o600
