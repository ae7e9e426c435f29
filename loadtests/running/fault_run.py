"""Carries out one planned fault, step by step, and writes down each step with its evidence.

    planned ── inject ── observe (bounded) ── … ── heal ── observe healed (bounded)
       └────── nothing there: this cluster has no such part, and nothing is done

Who could lose something is read from the victim, never from the shoppers: it is asked for its sessions just before it
is hit. What it opened or ended between that answer and its death is in its own request log, which is written line by
line and so outlives a SIGKILL; together they are what it held.

It runs in a thread beside the load, so that a slow observation of one thing delays nothing else. `abandon` makes it
stop at its next step: what is broken then is mended by stopping the cluster.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import msgspec

from compose.applications import application_of
from compose.balancers import balancer_named
from compose.engines.contract import Cluster
from loadtests.faults import FAULTS, Evidence, Fault, FaultSteps, Target
from loadtests.model.events import AtRisk, EventLog, FaultEvent, FaultPhase, NodeAdded
from loadtests.model.plan import PlannedFault
from shared.plurals import counted
from shared.request_log import LoggedSession, read_request_log

POLL_S = 0.01
HEAL_AGAIN_S = 0.25
"""Healing is repeated this often until it is seen: a part that is still ending cannot be started yet."""
CLUSTER = "cluster"
"""The victim of what strikes no single part."""


class FaultBounds(msgspec.Struct, frozen=True):
    """How long the run waits to see a fault, and to see it healed; beyond that it was *not* observed."""

    observed_s: float = 5.0
    """From being injected until it is seen."""
    healed_s: float = 15.0
    """From being healed until that is seen."""


class Held:
    """What a node held, from its own answer and its own log; `boot` is the start of it that is to be hit."""

    def __init__(self, cluster: Cluster, node: str, boot: str | None, guests: Collection[str] = ()) -> None:
        self._guests = frozenset(guests)
        # Before the question: what was opened while it was answered may be in both, and is counted by its id once.
        self.asked_at_us = time.time_ns() // 1000
        self.answer = cluster.held(node)
        self._boot = boot
        # Where sessions live elsewhere, its log tells of those that it opened and does not hold: no loss of its memory.
        self._log = cluster.logs().get(f"{node}.requests") if cluster.spec.architecture.in_nodes else None

    @property
    def source(self) -> str:
        """How it was read, in words."""
        if self.answer is None:
            return "the node did not say what it held"
        sessions, guests = len(self.answer), len(self._everybody() & self._guests)
        without = f"; without {counted(guests, 'guest')}" if self._guests else ""
        return (
            f"the node's own list of {counted(sessions, 'session')} just before, and its request log up to "
            f"its last line{without}"
        )

    def users(self) -> tuple[str, ...]:
        """The users whose sessions it held at its last moment, without guests; call it after the node was hit."""
        # Sorted: two runs of one plan shall be comparable line by line, and sets have no order.
        return tuple(sorted(self._everybody() - self._guests))

    def _everybody(self) -> set[str]:
        sessions = {held.session: held.user for held in self.answer or []}
        for line in _changes(self._log, self.asked_at_us, self._boot):
            if line.event == "opened":
                sessions[line.session] = line.user
            else:
                sessions.pop(line.session, None)
        return set(sessions.values())


def _changes(log: Path | None, since_us: int, boot: str | None) -> Iterator[LoggedSession]:
    """Sessions opened and ended since then; what another start of the node says later is not about what was hit."""
    for line in read_request_log(log) if log is not None and log.exists() else ():
        if isinstance(line, LoggedSession) and line.at_us >= since_us and boot in (None, line.boot):
            yield line


class FaultRun(threading.Thread):
    """One fault of the plan on one cluster."""

    def __init__(
        self, number: int, planned: PlannedFault, fault: FaultSteps, cluster: Cluster, log: EventLog, zero_ns: int,
        bounds: FaultBounds, guests: Collection[str] = (),
    ) -> None:  # fmt: skip
        # A daemon: one that hangs in a command must not keep a harness alive that has cleared everything away.
        super().__init__(name=f"fault {number}: {planned.kind}", daemon=True)
        self._number = number
        self._planned = planned
        self._kind = FAULTS[planned.kind]
        self._fault = fault
        """Whoever carries it out: its kind itself, or somebody in its place."""
        self._cluster = cluster
        self._log = log
        self._zero_ns = zero_ns
        self._bounds = bounds
        self._guests = frozenset(guests)
        """Accounts of people who are no shoppers: they are not among those at risk."""
        self._abandoned = threading.Event()
        self.error: Exception | None = None
        """What went wrong in the doing, if anything did; the run that owns this thread says so."""

    def abandon(self) -> None:
        """Stop at the next step."""
        self._abandoned.set()

    def run(self) -> None:
        """Every step, in order."""
        try:
            self._steps()
        except Exception as error:  # noqa: BLE001 - carried to the owner of the thread
            self.error = error

    def _steps(self) -> None:
        if not self._until_due():
            return
        reason = nothing_there(self._kind, self._cluster, self._planned.victim)
        if reason:
            self._write("nothing_there", (reason,))
            return
        # How it looks now is what `observe_healed` compares with: a killed node is back as *another* start of itself.
        target = self._aim()
        # Asked before the blow: of a dead node nobody learns what it held.
        held = self._held(target) if self._kind.forgets == "injected" else None
        self._break(target, held)
        if self._until_healing():
            self._mend_until_seen(target)

    def _mend_until_seen(self, target: Target) -> None:
        """Heal it; what was not seen to be healed within its bound may get another time to be."""
        while not self._mend(target, self._held(target) if self._kind.forgets == "healed" else None):
            if not self._until_healing_again():
                return

    def _until_due(self) -> bool:
        """Wait for the time to break it; False if the run was abandoned before."""
        return self._wait_until(self._planned.at_ms)

    def _until_healing(self) -> bool:
        """Wait for the time to heal it; False if the run was abandoned before."""
        return self._wait_until(self._planned.heal_at_ms)

    def _until_healing_again(self) -> bool:
        """The same, once it was healed in vain. A plan has one time to heal."""
        return False

    def _aim(self) -> Target:
        names = _names(self._cluster)
        victim = self._planned.victim
        return Target(self._cluster, victim, None if victim == CLUSTER else self._cluster.observe(victim), names)

    def _held(self, target: Target) -> Held | None:
        """Whom the victim holds, if what it does takes it away."""
        tells = application_of(self._cluster.spec).can.lists_sessions
        if not self._kind.takes_memory or target.before is None or not tells:
            return None
        return Held(self._cluster, target.victim, target.before.boot, self._guests)

    def _break(self, target: Target, held: Held | None) -> None:
        # Written first: what the blow changes has to come after it, even where the blow itself takes its time.
        self._write("injected", ())
        self._fault.inject(target)
        self._write_added(target)
        # From outside: that the doing raised no error proves nothing.
        broken = self._watch(lambda: self._fault.observe(target), self._bounds.observed_s)
        self._write("observed" if broken else "not_observed", broken or self._looks())
        if held is not None:
            self._write_at_risk(held)

    def _mend(self, target: Target, held: Held | None) -> bool:
        """Heal, and look; again and again, since a part may take its time to be able to. Whether it was seen healed.

        Where the healing takes the victim's memory, that is over once the start of it that was hit is gone.
        """
        # Before the healing, as with the blow: whatever is well again came after this line.
        self._write("healed", ())
        again_s = time.monotonic()

        def heal_and_look() -> Evidence | None:
            nonlocal again_s, held
            if held is not None and self._is_gone(target):
                self._write_at_risk(held)
                held = None
            if time.monotonic() >= again_s:
                self._fault.heal(target)
                # Counted from the end of the healing, which may itself take long: looks come between any two of them.
                again_s = time.monotonic() + HEAL_AGAIN_S
            return self._fault.observe_healed(target)

        mended = self._watch(heal_and_look, self._bounds.healed_s)
        if held is not None:  # its end was never seen: then its log up to now is the best that there is
            self._write_at_risk(held)
        self._write("observed_healed" if mended else "not_healed", mended or self._looks())
        return mended is not None

    def _is_gone(self, target: Target) -> bool:
        seen = self._cluster.observe(target.victim)
        before = target.before.boot if target.before else None
        return not seen.process or seen.boot not in (None, before)

    def _looks(self) -> Evidence:
        """How the victim looks: for a fault of which nothing was seen."""
        victim = self._planned.victim
        return ("nothing proved it",) if victim == CLUSTER else self._cluster.observe(victim).evidence

    def _wait_until(self, at_ms: int) -> bool:
        """True once the planned time has come; False if the run was abandoned before."""
        seconds = (self._zero_ns + at_ms * 1_000_000 - time.monotonic_ns()) / 1e9
        # The event and no sleep: a run that is ended need not wait for a fault that is due in a minute.
        return not self._abandoned.wait(max(0.0, seconds))

    def _watch(self, look: Callable[[], Evidence | None], bound_s: float) -> Evidence | None:
        deadline = time.monotonic() + bound_s
        # The look comes before the clock: a thread that was woken late has looked once, all the same.
        while (evidence := look()) is None and time.monotonic() < deadline and not self._abandoned.is_set():
            time.sleep(POLL_S)
        return evidence

    def _write(self, phase: FaultPhase, evidence: Evidence) -> None:
        name, number, kind = self._cluster.spec.architecture.name, self._number, self._planned.kind
        self._log.write(lambda at_us: FaultEvent(name, at_us, number, kind, self._planned.victim, phase, evidence))

    def _write_added(self, target: Target) -> None:
        name, number = self._cluster.spec.architecture.name, self._number
        for node in _names(self._cluster):
            if node not in target.nodes:
                # Bound at once (`node=node`): the log may call it later, when the loop is somewhere else.
                self._log.write(lambda at_us, node=node: NodeAdded(name, at_us, number, node))  # type: ignore[misc]

    def _write_at_risk(self, held: Held) -> None:
        name, number, node = self._cluster.spec.architecture.name, self._number, self._planned.victim
        self._log.write(lambda at_us: AtRisk(name, at_us, number, node, held.users(), held.source))


def nothing_there(fault: Fault, cluster: Cluster, victim: str) -> str:
    """Why that cluster has nothing for the fault to strike; "" if it has."""
    if victim != CLUSTER and victim not in _names(cluster) and victim not in cluster.parts():
        return f"{cluster.spec.architecture.name} has no {victim}"
    described = cluster.spec.application
    if described is not None and fault.kind in described.fault:
        return ""  # its owner's commands strike what we do not see
    # A run is refused before it starts; of a round's two balancers one may be able to do what the other cannot.
    wanted = (fault.asks_of_balancer,) if fault.asks_of_balancer else ()
    cannot = balancer_named(cluster.spec.balancer).cannot_serve(cluster.spec.architecture.affinity, wanted)
    return cannot or fault.nothing_there(cluster)


def _names(cluster: Cluster) -> tuple[str, ...]:
    return tuple(node.name for node in cluster.nodes())
