"""A workshop: rounds, one after another, until somebody ends it.

    starting ──> predict ──release──> run ──┐
       └───────> open (free play) ──────────┴──close, or its time is over──> closing ──> explain ──begin──> starting …
    what goes wrong ends in `failed`, with its reason, and from there another round can be begun

One thread owns the rounds and takes them from phase to phase; commands come in other threads, are answered at once, and
leave the rest pending for it. Whatever ends the workshop, nothing of it is left.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from compose.engines.contract import Engine
from loadtests.running.progress import RunWatcher
from loadtests.workshop.contract import (
    LIVE_PHASES,
    WORKSHOP_SCHEMA,
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
from loadtests.workshop.dashboard_assignment import write_for_owner
from loadtests.workshop.episode_file import episode_named
from loadtests.workshop.listen_addresses import ListenAddress
from loadtests.workshop.live_round import LiveRound
from loadtests.workshop.live_side import END_LEAD_MS
from loadtests.workshop.round_spec import WorkshopRequest, round_spec
from shared.errors import Interrupted, RunFolderError, TwinshopError, UsageError

FILE = "workshop.json"
LOOK_S = 0.05
CLOSE_BEFORE_MS = END_LEAD_MS + 500  # so long before its time is over a round is closed, so that it ends in time
# What to do instead, by phase.
NEXT: dict[Phase, str] = {
    "predict": "let people in first",
    "explain": "begin another round",
    "failed": "begin another round",
    "starting": "wait until both shops stand",
    "closing": "wait until it is closed",
}


class StateFile:
    """Safe to write on from several threads."""

    def __init__(self, folder: Path, *, predict: bool, episodes: tuple[str, ...]) -> None:
        self.path = folder / FILE
        self._lock = threading.Lock()
        self._workshop = Workshop(WORKSHOP_SCHEMA, 0, predict, Round(0, "starting"), episodes)

    @property
    def round(self) -> Round:
        """The round as it is now."""
        return self._workshop.round

    @property
    def phase(self) -> Phase:
        """Where it is."""
        return self._workshop.round.phase

    def begin(self, new: Round) -> None:
        """Another round."""
        with self._lock:
            self._write(new)

    def tell(self, **changes: Any) -> None:
        """Something of the round has changed."""
        with self._lock:
            self._write(msgspec.structs.replace(self._workshop.round, **changes))

    def tell_broken(self, broken: Callable[[], tuple[LiveFault, ...]]) -> None:
        """What is broken has changed. What was heard too late, when the round is over, is not true any more."""
        with self._lock:  # asked in here: so what is read first is told first
            if self.phase in LIVE_PHASES or self.phase == "closing":
                self._write(msgspec.structs.replace(self._workshop.round, broken=broken()))

    def _write(self, new: Round) -> None:
        old = self._workshop
        self._workshop = msgspec.structs.replace(old, version=old.version + 1, round=new)
        write_for_owner(self.path, self._workshop)


class _Left(Exception):
    """Somebody wants to go on to something else, and nobody has shopped yet."""


class WorkshopRunner:
    """The rounds of one workshop. `run` belongs to the main thread; `handle` may be called from any."""

    def __init__(
        self, request: WorkshopRequest, engine: Engine, state: Path, state_file: StateFile, watcher: RunWatcher,
        listen: ListenAddress,
    ) -> None:  # fmt: skip
        self._request = request
        self._listen = listen
        self._engine = engine
        self._state = state
        self._state_file = state_file
        self._watcher = watcher
        self._pending = threading.Condition()
        self._next: str | None = None
        """The episode of the next round ("" is free play); None: nobody has asked for another one."""
        self._released = False
        self._closed = False
        self._ended = False
        self._round: LiveRound | None = None

    # --- commands, in any thread

    def handle(self, command: Command) -> CommandReply:
        """Do what can be done at once, leave the rest pending for the thread that owns the rounds, and say so.

        Raises:
            UsageError: there is no such episode, or that cannot be done now.
        """
        with self._pending:
            self._take(command)
            self._pending.notify_all()
        return CommandReply(True)

    def _take(self, command: Command) -> None:
        if self._ended:
            raise UsageError("the workshop is over", next_step="twinshop workshop")
        match command:
            case Begin(episode):
                self._next = episode_named(episode).name if episode else ""
            case EndWorkshop():
                self._ended = True
            case Release():
                if (phase := self._state_file.phase) != "predict":
                    what = f"nobody waits to be let in: the round is in {phase!r}"
                    raise UsageError(what, next_step="begin an episode")
                self._released = True
            case Break() | Heal() | Close():
                self._in_a_live_round(command)

    def _in_a_live_round(self, command: Break | Heal | Close) -> None:
        phase, live = self._state_file.phase, self._round
        # Closed, and not yet told so: nothing may be broken any more that nobody would heal.
        if phase not in LIVE_PHASES or self._closed or live is None:
            now = "closing" if phase in LIVE_PHASES else phase
            raise UsageError(f"nobody shops now: the round is in {now!r}", next_step=NEXT.get(now, ""))
        match command:
            case Break():
                live.faults.make(command)
            case Heal():
                live.faults.heal(command)
            case Close():
                self._closed = True

    # --- the rounds, in their own thread

    def run(self, first: str) -> None:
        """Round after round, beginning with that episode, or free play (""); until somebody says `EndWorkshop`.

        Raises:
            Interrupted: Ctrl-C. Both clusters are gone, and what there is was judged.
        """
        self._next = first
        number = 0
        while not self._ended:
            with self._pending:
                if self._next is None:
                    self._pending.wait(LOOK_S)
                    continue
                episode, self._next = self._next, None
                self._released = self._closed = False  # what was said to the round before is not said to this one
                number += 1
                # The page tells of so many already while the clusters start.
                self._state_file.begin(Round(number, "starting", episode, shoppers=self._request.shoppers or 0))
            self._carry_out(number, episode)

    def _carry_out(self, number: int, episode: str) -> None:
        """One round, whatever becomes of it."""
        try:
            self._round = live = self._new_round(number, episode)
        except TwinshopError as error:
            self._fail(error)
            return
        try:
            self._course(live, episode)
        except _Left:
            live.abandon()
            self._finish(live)
        except Interrupted:
            self._watcher.say("the workshop ends: everything is stopped, and what there is of this round is reported")
            live.abandon()
            self._finish(live)
            raise
        except Exception as error:  # noqa: BLE001 - whatever went wrong in one round, the workshop goes on
            live.abandon()
            self._finish(live)
            self._fail(error)

    def _course(self, live: LiveRound, episode: str) -> None:
        """From phase to phase.

        Raises:
            _Left: somebody wants to go on before anybody shopped.
            Exception: it cannot go on.
        """
        live.start()
        self._wait(live, live.stands)  # nothing of it is told before: what stands may still fail
        self._state_file.tell(
            folder=str(live.folder.root.absolute()), run=live.provenance.run, sides=live.told_sides(),
            shoppers=len(live.plan.shoppers),
            buttons=live.buttons(), window_ms=live.spec.window_ms,
        )  # fmt: skip
        if episode and self._request.predict:
            self._go_to("predict")
            self._wait(live, lambda: self._released)
        self._go_to("run" if episode else "open", epoch_us=live.release().epoch_us)
        self._wait(live, lambda: self._closed or self._leaving() or live.overdue(CLOSE_BEFORE_MS))
        self._go_to("closing")
        live.close()
        self._finish(live)
        self._go_to("explain", broken=())

    def _new_round(self, number: int, episode: str) -> LiveRound:
        request = self._request
        spec = round_spec(episode, request)
        live = LiveRound(
            number, spec, self._engine, self._state, request.runs, self._watcher,
            (*request.command, *(("--episode", episode) if episode else ())),
            self._tell_broken, self._listen,
        )  # fmt: skip
        self._watcher.say(f"round {number}, {spec.scenario.name}: {' and '.join(spec.names)}  {live.folder.root}")
        return live

    def _wait(self, live: LiveRound, ready: Callable[[], bool]) -> None:
        """Until it is, as long as both sides are well and nobody wants to leave."""
        while not ready():
            if (failure := live.failure()) is not None:
                raise failure
            if self._leaving():
                raise _Left
            with self._pending:
                self._pending.wait(LOOK_S)

    def _leaving(self) -> bool:
        return self._ended or self._next is not None

    def _go_to(self, phase: Phase, **changes: Any) -> None:
        with self._pending:  # no command is in the middle of relying on the phase before
            self._state_file.tell(phase=phase, **changes)
        self._watcher.say(f"round {self._state_file.round.number}: {phase}")

    def _finish(self, live: LiveRound) -> None:
        """Judge and report what there is."""
        try:
            results = live.finish()
        except RunFolderError as error:
            self._watcher.say(f"the round cannot be judged: {error}")
            return
        if results is None:
            return
        # The terminal may be on the projector, and somebody in the room may not have committed yet.
        if not self._state_file.round.episode:
            self._watcher.say(f"free play, no prediction was asked: {results.answer}")
        elif self._request.predict:
            self._watcher.say("judged; the answer is in the report")
        else:
            self._watcher.say(results.answer)

    def _fail(self, error: Exception) -> None:
        why = str(error) if isinstance(error, TwinshopError) else f"{type(error).__name__}: {error}"
        self._watcher.say(f"round {self._state_file.round.number} failed: {why}")
        with self._pending:
            self._state_file.tell(phase="failed", why=why, broken=())

    def _tell_broken(self) -> None:
        if self._round is not None:
            self._state_file.tell_broken(self._round.faults.broken)
