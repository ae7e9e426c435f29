"""The faults of a live round: somebody makes one, on one side or on both at once, and somebody heals it.

Each is carried out step by step as in every run (`loadtests.running.fault_run`), with the same evidence; only its times
are not planned but told. In the end the faults as they went are the round's plan.

The side on which somebody chose not to make a fault must not look as if it had withstood it. Its events say `spared`
(or `nothing_there`, if it has no such part); `loadtests.judging.experiment.choice_doubts` says what that is worth.
"""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

import msgspec

from compose.engines.contract import Cluster
from compose.supervision.waiting import wait_for
from loadtests.faults import FAULTS
from loadtests.model.events import EventLog, FaultEvent, FaultPhase
from loadtests.model.plan import PlannedFault
from loadtests.planning.make_plan import told_apart
from loadtests.running.fault_run import FaultBounds, FaultRun, nothing_there
from loadtests.workshop.contract import Break, Heal, LiveFault, SideName
from loadtests.workshop.live_side import LiveSide, Signals
from shared.errors import UsageError

LOOK_S = 0.02


class LiveFaultRun(FaultRun):
    """A fault that is broken at once, and healed when somebody says so."""

    def __init__(
        self, number: int, planned: PlannedFault, cluster: Cluster, log: EventLog, bounds: FaultBounds,
        guests: tuple[str, ...], changed: Callable[[], None],
    ) -> None:  # fmt: skip
        # The zero is for planned times, and is asked by nobody: both waits are other ones here.
        super().__init__(number, planned, FAULTS[planned.kind], cluster, log, 0, bounds, guests)
        self._changed = changed
        self._told = threading.Event()
        self.over = False
        """Nothing is left to be healed of it."""

    def heal(self) -> None:
        """Heal it, as soon as it was seen to be broken (or its time for that is over)."""
        self._told.set()

    @property
    def healing(self) -> bool:
        """It was told to heal, and that was not seen to be done or to be in vain."""
        return self._told.is_set()

    def run(self) -> None:
        """Every step, in order."""
        try:
            super().run()
        finally:
            self.over = True
            self._changed()

    def _until_due(self) -> bool:
        return not self._abandoned.is_set()

    def _until_healing(self) -> bool:
        while not self._abandoned.is_set():
            if self._told.wait(LOOK_S):
                return True
        return False

    def _until_healing_again(self) -> bool:
        self._told.clear()  # it is still broken, and somebody may say once more that it is to be healed
        self._changed()
        return self._until_healing()


class _Made(msgspec.Struct):
    """One fault that was made."""

    number: int
    kind: str
    victim: str
    at_ms: int
    runs: dict[SideName, LiveFaultRun]
    healed_ms: int | None = None

    @property
    def held(self) -> dict[SideName, LiveFaultRun]:
        """Where it is not healed yet."""
        return {side: run for side, run in self.runs.items() if not run.over}

    def planned(self, end_ms: int) -> PlannedFault:
        """As it went; what nobody healed, the end of the window does."""
        healed_ms = end_ms if self.healed_ms is None else self.healed_ms
        # At least a millisecond: a plan knows of no fault that lasts no time.
        return PlannedFault(self.kind, self.at_ms, max(healed_ms, self.at_ms + 1), self.victim)


class LiveFaults:
    """All faults of one round. Safe to use from several threads; no call waits for what it brings about."""

    def __init__(
        self, sides: Mapping[SideName, LiveSide], kinds: tuple[str, ...], signals: Signals, bounds: FaultBounds,
        changed: Callable[[], None],
    ) -> None:  # fmt: skip
        self._sides = sides
        self._kinds = kinds
        self._signals = signals
        self._bounds = bounds
        self._changed = changed
        self._lock = threading.RLock()
        self._made: list[_Made] = []

    # --- commands

    def make(self, command: Break) -> None:
        """Break something.

        Raises:
            UsageError: there is nothing of the kind to be broken now.
        """
        with self._lock:
            self._strike(command.kind, self._aim(command), command.sides)
        # Without the lock: whoever hears of it has a lock of their own and asks for `broken`; two would hold one each.
        self._changed()

    def heal(self, command: Heal) -> None:
        """Heal one, or all.

        Raises:
            UsageError: it is not there to be healed, or nothing is.
        """
        with self._lock:
            broken = {made.number: made for made in self._made if made.held}
            if command.fault is not None and command.fault not in broken:
                numbers = ", ".join(map(str, broken)) or "none"
                raise UsageError(
                    f"no fault {command.fault} is there to be healed", next_step=f"name another; there is {numbers}"
                )
            chosen = [broken[command.fault]] if command.fault is not None else list(broken.values())
            if not chosen:
                raise UsageError("nothing is broken")
            for made in chosen:
                made.healed_ms = self._signals.elapsed_ms()
                for run in made.held.values():
                    run.heal()
        self._changed()

    # --- what there is

    def broken(self) -> tuple[LiveFault, ...]:
        """Those that are not seen to be healed yet."""
        with self._lock:
            return tuple(
                LiveFault(
                    made.number, tuple(made.held), made.kind, made.victim,
                    healing=all(run.healing for run in made.held.values()),
                )
                for made in self._made
                if made.held
            )  # fmt: skip

    def as_they_went(self, end_ms: int) -> tuple[PlannedFault, ...]:
        """The plan's faults, in the order in which they were made."""
        with self._lock:
            return tuple(made.planned(end_ms) for made in self._made)

    # --- the end

    def mend(self) -> None:
        """Heal all that is broken, and wait until that was seen, or for as long as it may take at most."""
        with suppress(UsageError):  # seen to be healed in this very moment
            self.heal(Heal())
        until = time.monotonic() + self._bounds.observed_s + self._bounds.healed_s
        wait_for(lambda: not self.broken() or None, until=until, every_s=LOOK_S)
        for made in self._made:
            for run in made.held.values():  # what was not seen to be healed in its time is gone with the cluster
                run.abandon()

    # --- how it is done

    def _aim(self, command: Break) -> str:
        """The victim.

        Raises:
            UsageError: there is none, or it is not to be struck now.
        """
        kind, sides = command.kind, command.sides
        if kind not in self._kinds:
            there = ", ".join(self._kinds) or "none"
            raise UsageError(f"this round has no button {kind!r}", next_step=f"what there is: {there}")
        if not sides or len(set(sides)) < len(sides):
            raise UsageError("a fault is made on one side or on both", next_step="name left, right, or each once")
        victim = self._victim(command, FAULTS[kind].strikes)
        reasons = {side: nothing_there(FAULTS[kind], self._sides[side].cluster, victim) for side in sides}
        if all(reasons.values()):
            raise UsageError("; ".join(reasons.values()), next_step="choose something that is there")
        for side in sides:
            if held := self._holding(side, kind, victim):
                what = f"on the {side} there is a fault at {victim} already: {held.kind}"
                raise UsageError(what, next_step="mend that first")
        return victim

    def _victim(self, command: Break, strikes: str) -> str:
        """Whom such a fault can strike."""
        if strikes != "node":
            if command.victim not in ("", strikes):
                what = f"a {command.kind} strikes the {strikes}, not {command.victim!r}"
                raise UsageError(what, next_step="omit the victim")
            return strikes
        nodes = {node.name for side in command.sides for node in self._sides[side].cluster.nodes()}
        if command.victim and command.victim not in nodes:
            what = f"a {command.kind} strikes a node, not {command.victim!r}"
            raise UsageError(what, next_step=f"name one of {', '.join(sorted(nodes))}")
        victim = command.victim or self._lowest_node(command)
        if not victim:
            raise UsageError("every node there is broken already", next_step="heal one first")
        return victim

    def _lowest_node(self, command: Break) -> str:
        """The one with the lowest number that is up on all of these sides; "" if there is none."""
        names = [{node.name for node in self._sides[side].cluster.nodes()} for side in command.sides]
        for name in sorted(set.intersection(*names), key=lambda name: (len(name), name)):
            if not any(self._holding(side, command.kind, name) for side in command.sides):
                return name
        return ""

    def _holding(self, side: SideName, kind: str, victim: str) -> _Made | None:
        """The fault that is there already, and could be taken for another one of that kind."""
        new = PlannedFault(kind, self._signals.elapsed_ms(), 0, victim)
        for made in self._made:
            if side in made.held and not told_apart(made.planned(made.at_ms), new):
                return made
        return None

    def _strike(self, kind: str, victim: str, sides: tuple[SideName, ...]) -> None:
        number, at_ms = len(self._made), self._signals.elapsed_ms()
        planned = PlannedFault(kind, at_ms, at_ms + 1, victim)
        runs: dict[SideName, LiveFaultRun] = {}
        for name, side in self._sides.items():
            if name in sides:
                runs[name] = run = LiveFaultRun(
                    number, planned, side.cluster, side.events, self._bounds, side.guests, self._changed
                )
                side.add_fault(run)
            else:
                self._spare(number, planned, side, sides)
        self._made.append(_Made(number, kind, victim, at_ms, runs))
        for run in runs.values():  # when all is prepared, so that both sides are struck at the same time
            run.start()

    def _spare(self, number: int, planned: PlannedFault, side: LiveSide, struck: tuple[SideName, ...]) -> None:
        """Write down that somebody chose not to make it here."""
        name, kind, victim = side.architecture.name, planned.kind, planned.victim
        missing = nothing_there(FAULTS[kind], side.cluster, victim)
        where = " and ".join(self._sides[each].architecture.name for each in struck)
        phase: FaultPhase = "nothing_there" if missing else "spared"
        words = (missing or f"somebody made it on {where} only",)
        side.events.write(lambda at_us: FaultEvent(name, at_us, number, kind, victim, phase, words))
