"""The scene of one architecture's part of a run: what stood there and what struck it, from the events alone."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from compose.architectures import Affinity, Architecture, Store
from loadtests.events import (
    AtRisk,
    ClusterReady,
    Event,
    FaultEvent,
    LoadEnded,
    LoadSample,
    LoadStarted,
    RunInterrupted,
)


class Strike(msgspec.Struct, frozen=True):
    """One fault as it went: when each step was taken, None for steps that were not. Microseconds of the window."""

    fault: int
    kind: str
    victim: str
    injected_us: int | None = None
    observed_us: int | None = None
    healed_us: int | None = None
    observed_healed_us: int | None = None
    evidence: tuple[str, ...] = ()
    """Of its observation."""
    at_risk: tuple[str, ...] | None = None
    """Users whose sessions the victim held; None if nobody read them."""


class Scene(msgspec.Struct, frozen=True):
    """One architecture's cluster, faults and load."""

    architecture: str
    description: Architecture | None = None
    nodes: tuple[str, ...] = ()
    strikes: tuple[Strike, ...] = ()
    fault_events: tuple[FaultEvent, ...] = ()
    epoch_us: int | None = None
    """Wall clock at the zero of the load window; None if it never began."""
    ended: LoadEnded | None = None
    interrupted: str | None = None
    """Why it was not measured to its end; None if it was."""
    load_cpu: tuple[float, ...] = ()
    """Percent of one core, by sample."""

    @property
    def store(self) -> Store | None:
        """Where its sessions live; None if its cluster was never ready."""
        return self.description.store if self.description else None

    @property
    def affinity(self) -> Affinity | None:
        """How its balancer picks the node; None if its cluster was never ready."""
        return self.description.affinity if self.description else None

    @property
    def finished(self) -> bool:
        """It was measured to its end, and the database was read."""
        return self.interrupted is None and self.ended is not None

    @property
    def first_injected_us(self) -> int | None:
        """When the first fault was injected; None if none was."""
        times = [strike.injected_us for strike in self.strikes if strike.injected_us is not None]
        return min(times, default=None)

    def struck(self, node: str, since_us: int, until_us: int) -> Strike | None:
        """The last observed fault that can have hit the node within that time.

        The blow falls between its two marks: the first is made before it is struck, so that a busy node may give
        another answer or two after it.
        """
        found = None
        for strike in self.strikes:
            if strike.victim != node or strike.injected_us is None or strike.observed_us is None:
                continue
            if since_us <= strike.observed_us and strike.injected_us <= until_us:
                found = strike
        return found


def scene_of(architecture: str, events: Iterable[Event]) -> Scene:
    """The scene that the events of one architecture tell of."""
    scene = Scene(architecture)
    strikes: dict[int, Strike] = {}
    steps: list[FaultEvent] = []
    cpu: list[float] = []
    for event in events:
        if isinstance(event, LoadSample):
            cpu.append(event.cpu_percent)
        elif isinstance(event, FaultEvent):
            steps.append(event)
            strikes[event.fault] = _stepped(strikes.get(event.fault), event)
        elif isinstance(event, AtRisk):
            before = strikes.get(event.fault) or Strike(event.fault, "", event.victim)
            strikes[event.fault] = msgspec.structs.replace(before, at_risk=event.users)
        else:
            scene = _told(scene, event)
    by_number = tuple(strikes[number] for number in sorted(strikes))
    return msgspec.structs.replace(scene, strikes=by_number, fault_events=tuple(steps), load_cpu=tuple(cpu))


def _told(scene: Scene, event: Event) -> Scene:
    """The scene with what a single event says."""
    if isinstance(event, ClusterReady):
        return msgspec.structs.replace(scene, description=event.description, nodes=event.nodes)
    if isinstance(event, LoadStarted):
        return msgspec.structs.replace(scene, epoch_us=event.epoch_us)
    if isinstance(event, LoadEnded):
        return msgspec.structs.replace(scene, ended=event)
    if isinstance(event, RunInterrupted):
        return msgspec.structs.replace(scene, interrupted=event.why)
    return scene


def _stepped(strike: Strike | None, event: FaultEvent) -> Strike:
    """The strike one step further."""
    strike = strike or Strike(event.fault, event.kind, event.victim)
    if event.phase == "injected":
        return msgspec.structs.replace(strike, injected_us=event.at_us)
    if event.phase == "observed":
        return msgspec.structs.replace(strike, observed_us=event.at_us, evidence=event.evidence)
    if event.phase == "healed":
        return msgspec.structs.replace(strike, healed_us=event.at_us)
    if event.phase == "observed_healed":
        return msgspec.structs.replace(strike, observed_healed_us=event.at_us)
    return strike
