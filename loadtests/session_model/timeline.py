"""The scene of one architecture's part of a run: what stood there and what struck it, from the events alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from compose.architectures import Affinity, Architecture, Store
from compose.cluster import Limits
from loadtests.faults import FAULTS, Fault
from loadtests.model.events import (
    AtRisk,
    ClusterReady,
    Event,
    FaultEvent,
    GuestsAdmitted,
    LoadEnded,
    LoadSample,
    LoadStarted,
    NodeAdded,
    NodeSample,
    RunInterrupted,
)

NEVER_US = 1 << 62
"""Later than everything."""


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
    at_risk_us: int | None = None
    """When they were read: what the victim held was gone by then."""
    nothing_there: str = ""
    """Why there was nothing to strike; "" if there was something."""
    spared: str = ""
    """Where it was made instead of here; "" if it was made here."""

    @property
    def about(self) -> Fault | None:
        """The fault that it is; None if this version of Twinshop does not know it any more."""
        return FAULTS.get(self.kind)

    @property
    def takes_memory(self) -> bool:
        """What its victim held in memory is gone with it."""
        return self.about is not None and self.about.takes_memory

    @property
    def on_node(self) -> bool:
        """Its victim is a node."""
        return self.about is None or self.about.strikes == "node"

    @property
    def blow_us(self) -> tuple[int, int] | None:
        """Between which two marks the blow fell; None if nobody observed it.

        The first is made before it is struck, so that a busy victim may give another answer or two after it.
        """
        if self.injected_us is None or self.observed_us is None:
            return None
        if self.about is not None and self.takes_memory and self.about.forgets == "healed":
            return None if self.healed_us is None else (self.healed_us, self.at_risk_us or self.healed_us)
        return self.injected_us, self.observed_us

    @property
    def over_us(self) -> int:
        """When it was over: seen to be healed; never, if it was not, or if it stays."""
        stays = self.about is not None and self.about.stays
        return NEVER_US if stays or self.observed_healed_us is None else self.observed_healed_us

    def held(self, since_us: int, until_us: int) -> bool:
        """Whether it was observed, and was there at any moment of that time."""
        if self.injected_us is None or self.observed_us is None:
            return False
        return self.injected_us <= until_us and since_us <= self.over_us


class Scene(msgspec.Struct, frozen=True):
    """One architecture's cluster, faults and load."""

    architecture: str
    description: Architecture | None = None
    nodes: tuple[str, ...] = ()
    """Those it was started with."""
    strikes: tuple[Strike, ...] = ()
    fault_events: tuple[FaultEvent, ...] = ()
    epoch_us: int | None = None
    """Wall clock at the zero of the load window; None if it never began."""
    ended: LoadEnded | None = None
    interrupted: str | None = None
    """Why it was not measured to its end; None if it was."""
    load_cpu: tuple[float, ...] = ()
    """Percent of one core, by sample."""
    limits: Limits = Limits()
    added: tuple[str, ...] = ()
    """The nodes that faults added."""
    fullest: dict[str, int] = {}
    """The most sessions that each node was seen to hold in its memory."""
    guests: tuple[str, ...] = ()
    """Accounts of people with browsers; none if nobody was admitted."""
    run: str = ""
    """How the ids of all requests begin that are not a guest's, where guests were admitted."""

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

    @property
    def all_nodes(self) -> tuple[str, ...]:
        """Everybody who may have answered."""
        return (*self.nodes, *self.added)

    @property
    def retries(self) -> bool:
        """The balancer may have sent a request to several nodes."""
        told = any(strike.kind == "balancer-retries" and strike.injected_us is not None for strike in self.strikes)
        return told or self.limits.balancer_retries > 0

    @property
    def balancer_fell(self) -> bool:
        """The balancer was struck: what it had begun it did not finish, nor write down."""
        return any(strike.victim == "balancer" and strike.injected_us is not None for strike in self.strikes)

    def is_guests(self, request: str) -> bool:
        """Whether a person with a browser sent the request of that id: no shopper of the run, nor its harness."""
        return bool(self.guests) and not request.startswith(self.run)

    def struck(self, node: str, since_us: int, until_us: int) -> Strike | None:
        """The last observed fault that can have taken the node's memory within that time."""
        found = None
        for strike in self.strikes:
            if strike.victim == node and strike.takes_memory and strike.blow_us is not None:
                first_us, last_us = strike.blow_us
                if since_us <= last_us and first_us <= until_us:
                    found = strike
        return found

    def holding(self, kinds: Collection[str], since_us: int, until_us: int, victim: str = "") -> Strike | None:
        """The last observed fault of one of these kinds (and with that victim) that was there within that time."""
        found = None
        for strike in self.strikes:
            if strike.kind in kinds and victim in ("", strike.victim) and strike.held(since_us, until_us):
                found = strike
        return found


def scene_of(architecture: str, events: Iterable[Event]) -> Scene:
    """The scene that the events of one architecture tell of."""
    scene = Scene(architecture)
    strikes: dict[int, Strike] = {}
    steps: list[FaultEvent] = []
    cpu: list[float] = []
    fullest: dict[str, int] = {}
    for event in events:
        if isinstance(event, LoadSample):
            cpu.append(event.cpu_percent)
        elif isinstance(event, NodeSample):
            fullest |= {node: max(held, fullest.get(node, 0)) for node, held in event.sessions.items()}
        elif isinstance(event, FaultEvent):
            steps.append(event)
            strikes[event.fault] = _stepped(strikes.get(event.fault), event)
        elif isinstance(event, AtRisk):
            before = strikes.get(event.fault) or Strike(event.fault, "", event.victim)
            strikes[event.fault] = msgspec.structs.replace(before, at_risk=event.users, at_risk_us=event.at_us)
        else:
            scene = _told(scene, event)
    by_number = tuple(strikes[number] for number in sorted(strikes))
    return msgspec.structs.replace(
        scene, strikes=by_number, fault_events=tuple(steps), load_cpu=tuple(cpu), fullest=fullest
    )


def _told(scene: Scene, event: Event) -> Scene:
    """The scene with what a single event says."""
    if isinstance(event, ClusterReady):
        return msgspec.structs.replace(scene, description=event.description, nodes=event.nodes, limits=event.limits)
    if isinstance(event, GuestsAdmitted):
        return msgspec.structs.replace(scene, guests=event.users, run=event.run)
    if isinstance(event, NodeAdded):
        return msgspec.structs.replace(scene, added=(*scene.added, event.node))
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
    if event.phase == "nothing_there":
        return msgspec.structs.replace(strike, nothing_there="; ".join(event.evidence))
    if event.phase == "spared":
        return msgspec.structs.replace(strike, spared="; ".join(event.evidence))
    if event.phase == "healed":
        return msgspec.structs.replace(strike, healed_us=event.at_us)
    if event.phase == "observed_healed":
        return msgspec.structs.replace(strike, observed_healed_us=event.at_us)
    return strike
