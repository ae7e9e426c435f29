"""Carries out one planned fault, step by step, and writes down each step with its evidence.

    planned ── inject ── observe (bounded) ── … ── heal ── observe healed (bounded)

It runs in a thread beside the load, so that a slow observation of one thing delays nothing else. `abandon` makes it
stop at its next step: what is broken then is mended by stopping the cluster.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import msgspec

from compose.cluster import Cluster
from loadtests.events import AtRisk, FaultEvent, FaultPhase
from loadtests.faults import Evidence, Fault, Target
from loadtests.plan import PlannedFault
from loadtests.running.at_risk import Held
from loadtests.running.event_log import EventLog

POLL_S = 0.01


class FaultBounds(msgspec.Struct, frozen=True):
    """How long the run waits to see a fault, and to see it healed; beyond that it was *not* observed."""

    observed_s: float = 5.0
    healed_s: float = 15.0


class FaultRun(threading.Thread):
    """One fault of the plan on one cluster."""

    def __init__(
        self, number: int, planned: PlannedFault, fault: Fault, cluster: Cluster, log: EventLog, zero_ns: int,
        bounds: FaultBounds,
    ) -> None:  # fmt: skip
        super().__init__(name=f"fault {number}: {planned.kind}", daemon=True)
        self._number = number
        self._planned = planned
        self._fault = fault
        self._cluster = cluster
        self._log = log
        self._zero_ns = zero_ns
        self._bounds = bounds
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
        if not self._wait_until(self._planned.at_ms):
            return
        node = self._planned.victim
        target = Target(self._cluster, node, self._cluster.observe(node))
        held = Held(self._cluster, node)
        self._write("injected", ())
        self._fault.inject(target)
        broken = self._watch(lambda: self._fault.observe(target), self._bounds.observed_s)
        self._write("observed" if broken else "not_observed", broken or self._cluster.observe(node).evidence)
        self._write_at_risk(held)
        if not self._wait_until(self._planned.heal_at_ms):
            return
        self._write("healed", ())
        self._fault.heal(target)
        mended = self._watch(lambda: self._fault.observe_healed(target), self._bounds.healed_s)
        self._write("observed_healed" if mended else "not_healed", mended or self._cluster.observe(node).evidence)

    def _wait_until(self, at_ms: int) -> bool:
        """True once the planned time has come; False if the run was abandoned before."""
        seconds = (self._zero_ns + at_ms * 1_000_000 - time.monotonic_ns()) / 1e9
        return not self._abandoned.wait(max(0.0, seconds))

    def _watch(self, look: Callable[[], Evidence | None], bound_s: float) -> Evidence | None:
        deadline = time.monotonic() + bound_s
        while (evidence := look()) is None and time.monotonic() < deadline and not self._abandoned.is_set():
            time.sleep(POLL_S)
        return evidence

    def _write(self, phase: FaultPhase, evidence: Evidence) -> None:
        name, number, kind = self._cluster.spec.architecture.name, self._number, self._planned.kind
        self._log.write(lambda at_us: FaultEvent(name, at_us, number, kind, self._planned.victim, phase, evidence))

    def _write_at_risk(self, held: Held) -> None:
        name, number, node = self._cluster.spec.architecture.name, self._number, self._planned.victim
        self._log.write(lambda at_us: AtRisk(name, at_us, number, node, held.users(), held.source))
