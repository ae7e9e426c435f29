"""One shopper's session life, told from the run's folder alone: who opened each session, where it was held, until when
it was good, what ended it; and the losses, as the checks name them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from loadtests.judging.judge import ArchitectureFiles, files_of
from loadtests.judging.replay import HistoryReplay
from loadtests.model.history import Exchange, shopper_of
from loadtests.model.results import Loss
from loadtests.model.run_folder import RunFolder
from loadtests.session_model.causes import Reason
from loadtests.session_model.counterfactual import seconds
from loadtests.session_model.life import good_until
from loadtests.session_model.shopper_trace import ShopperTrace
from loadtests.session_model.stores import rules_of
from loadtests.session_model.stores.token import signing_key
from loadtests.session_model.timeline import run_timeline
from shared.demo_accounts import account_name
from shared.errors import UsageError
from shared.plurals import counted

UNSEEN = "a node that nobody knows"


class SessionStory(msgspec.Struct, frozen=True, omit_defaults=True):
    """One session, from its login to its end. Times are milliseconds of the load window."""

    opened_ms: float
    node: str
    """That answered the login."""
    held: str
    """Where it was, in words."""
    written_ms: float
    """When it was last surely written."""
    written_by: str
    good_until_ms: float
    """Its last writing and the lifetime."""
    ended_ms: float | None = None
    """None: it was good at the end of the run, as far as anybody looked."""
    ended: str = "nothing: it was good at the end of the run, as far as anybody looked"
    """What ended it, in words."""
    perhaps_written_ms: float | None = None
    """When it may have been written since: nobody knows whether it was."""
    signed_with: str = ""
    """The key of the token: "own" or "next"; "" where there is no token."""
    clock_off_s: float = 0.0
    """By how much the clock of who wrote it was off at most."""
    cause: str = ""
    """Of its loss, if it was lost."""
    counterfactual: str = ""
    considered: tuple[str, ...] = ()


class ShopperStory(msgspec.Struct, frozen=True):
    """What became of one shopper on one architecture."""

    architecture: str
    shopper: int
    user: str
    sessions: tuple[SessionStory, ...]
    losses: tuple[Loss, ...]


def explain(folder: Path, shopper: int, architectures: tuple[str, ...] = ()) -> tuple[ShopperStory, ...]:
    """The story of that shopper on each architecture of the run, or on those that are named.

    Raises:
        UsageError: the run has no such shopper, or no such architecture.
        RunFolderError: a file of the run is missing or damaged; names the file and the line.
    """
    run = RunFolder(folder)
    provenance = run.read_provenance()
    if not 1 <= shopper <= provenance.shoppers:
        raise UsageError(
            f"there is no shopper {shopper} in {provenance.scenario}",
            why=f"its shoppers are 1 to {provenance.shoppers}",
            next_step="name one of those; the report's losses say whom they struck",
        )
    for name in architectures:
        if name not in provenance.architectures:
            raise UsageError(
                f"{name!r} is no architecture of this run",
                why=f"it has {', '.join(provenance.architectures)}",
                next_step="name one of those, or none for all",
            )
    files = files_of(run, provenance.architectures)
    return tuple(_story(files[name], shopper) for name in architectures or provenance.architectures if name in files)


def _story(files: ArchitectureFiles, shopper: int) -> ShopperStory:
    scene, user = run_timeline(files.architecture, files.events), account_name(shopper)
    replay = HistoryReplay(scene)
    teller = Storyteller(replay, shopper)
    for records in files.records():
        for record in records:
            if isinstance(record, Exchange):
                # One shopper's records alone: what anybody may expect depends on nobody else's. But of a token, whether
                # any node asks if it was ended, an answer to somebody else may tell.
                if record.shopper == shopper:
                    teller.add(scene.as_judged(record))
                elif scene.store == "token":
                    replay.add(scene.as_judged(record))
            elif record.user == user or shopper_of(record.request) == shopper:  # made in another one's name
                replay.add_order(record)
    replay.close()
    losses = tuple(loss for loss in replay.losses() if loss.shopper == shopper)
    return ShopperStory(files.architecture, shopper, user, teller.sessions, losses)


class Storyteller:
    """`add` one shopper's exchanges to a replay, in order, then read `sessions`."""

    def __init__(self, replay: HistoryReplay, shopper: int) -> None:
        self._replay = replay
        self._person = replay.people[shopper] = ShopperTrace(shopper, replay.around.run)
        self._told: list[SessionStory] = []
        self._lost = False

    @property
    def sessions(self) -> tuple[SessionStory, ...]:
        """All sessions so far; the last one may still be good."""
        return (*self._told, *self._open())

    def add(self, exchange: Exchange) -> None:
        """The next exchange; only what was done with the shopper's own cookies makes a session."""
        person = self._person
        story, before, logouts = tuple(self._open()), person.life.opened, person.logouts
        losses = self._replay.checks["logged_out"].losses
        known = len(losses)
        self._replay.add(exchange)
        if person.logouts > logouts:
            # A check that raised names no loss: then nobody knows why, and the loss before this one says nothing of it.
            why = losses[-1] if len(losses) > known else Reason()
            said = f"{exchange.node or UNSEEN} answered as to a stranger: {why.cause}"
            because = {"cause": why.cause, "counterfactual": why.counterfactual, "considered": why.considered}
            self._told += [_ended(one, exchange, said, **because) for one in story]
            self._lost = True
        if (opened := person.life.opened) is not before:
            if not self._lost and before is not None:
                said = "another login of the shopper" if opened else "the shopper logged out"
                self._told += [_ended(one, exchange, said) for one in story]
            self._lost = False

    def _open(self) -> Iterator[SessionStory]:
        """The session as it stands; nothing if there is none, or if it was told already."""
        life, around = self._person.life, self._replay.around
        good = good_until(life, around)
        if self._lost or life.opened is None or life.written is None or good is None:
            return
        clock = around.clock(life.written.node, life.written)
        yield SessionStory(
            life.opened.done_us / 1000,
            life.opened.node,
            rules_of(around.run).held.format(node=life.opened.node or UNSEEN),
            life.written.done_us / 1000,
            life.written.node,
            good[1] / 1000,
            perhaps_written_ms=None if life.perhaps is None else life.perhaps.done_us / 1000,
            signed_with=signing_key(life.written, around) if life.in_cookie else "",
            clock_off_s=clock.most or clock.least,
        )


def _ended(story: SessionStory, exchange: Exchange, said: str, **because: Any) -> SessionStory:
    return msgspec.structs.replace(story, ended_ms=exchange.done_us / 1000, ended=said, **because)


def story_in_words(story: ShopperStory) -> str:
    """The story for a person: a line for each step of each session, then the losses."""
    return "\n".join(_lines(story))


def _lines(story: ShopperStory) -> Iterator[str]:
    yield f"shopper {story.shopper} ({story.user}) in {story.architecture}"
    for number, session in enumerate(story.sessions, 1):
        opened = f"{_at(session.opened_ms)} at {session.node or UNSEEN}"
        yield f"  session {number}: opened by the login at {opened}, {session.held}"
        yield f"    last written at {_at(session.written_ms)}{_by(session)}; good until {_at(session.good_until_ms)}"
        if session.perhaps_written_ms is not None:
            yield f"    perhaps written at {_at(session.perhaps_written_ms)}: nobody answered"
        ended = "" if session.ended_ms is None else f" at {_at(session.ended_ms)}"
        yield f"    ended{ended} by {session.ended}" if not session.cause else f"    ended{ended}: {session.ended}"
        yield from _why(session.counterfactual, session.considered)
    if not story.sessions:
        yield "  never logged in"
    count = len(story.losses)
    yield f"  {counted(count, 'loss', 'losses')}:" if count else "  no losses"
    for loss in story.losses:
        where = f", shown by {loss.node}" if loss.node else ""
        yield f"  {_at(loss.at_ms)} {loss.kind} ({loss.cause}){where}"
        if trace := loss.witness[-1].trace if loss.witness else "":
            yield f"    trace {trace}"
        yield from _why(loss.counterfactual, loss.considered)


def _why(counterfactual: str, considered: tuple[str, ...]) -> Iterator[str]:
    if counterfactual:
        yield f"    {counterfactual}"
    for sentence in considered:
        yield f"    considered and excluded: {sentence}"


def _by(session: SessionStory) -> str:
    signed = f", signed with its {session.signed_with} key" if session.signed_with else ""
    clock = f", whose clock was off by {session.clock_off_s:+.0f} s" if session.clock_off_s else ""
    return f" by {session.written_by or UNSEEN}{signed}{clock}"


def _at(at_ms: float) -> str:
    return seconds(round(at_ms * 1000))
