"""The timeline of one architecture's part of a run: what stood there and what was broken, by plan and events."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from compose.applications.contract import ApplicationCapabilities
from compose.architectures import Affinity, Architecture, Store
from compose.cluster import Balancing, Limits
from loadtests.faults import FAULTS
from loadtests.model.application import ApplicationFacts, can_of
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
from loadtests.model.fault_timeline import FaultTimeline
from loadtests.model.history import WRITES, Exchange
from loadtests.model.plan import PlannedFault

ALWAYS_US = -(2**62)
"""Before all times of a run."""


class RunTimeline(msgspec.Struct, frozen=True):
    """One architecture's cluster, faults and load."""

    architecture: str
    description: Architecture | None = None
    nodes: tuple[str, ...] = ()
    """Those it was started with."""
    faults: tuple[FaultTimeline, ...] = ()
    """By number."""
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
    application: ApplicationFacts | None = None
    """What runs there, if it is none of the twins."""
    run: str = ""
    """How the ids of all requests begin that are not a guest's, where guests were admitted."""

    @property
    def can(self) -> ApplicationCapabilities:
        """What the application can do, and how much can be seen of it."""
        return can_of(self.application)

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
        times = [fault.injected_us for fault in self.faults if fault.injected_us is not None]
        return min(times, default=None)

    @property
    def all_nodes(self) -> tuple[str, ...]:
        """Everybody who may have answered."""
        return (*self.nodes, *self.added)

    @property
    def retries(self) -> bool:
        """The balancer may have sent a request to several nodes."""
        return self.retries_since_us is not None

    @property
    def retries_since_us(self) -> int | None:
        """From when on it may have done so; None if never. A fault counts from when the balancer was told to retry."""
        if self.limits.balancer_retries > 0:
            return ALWAYS_US
        told_us = (at_us for at_us, balancing in self.told_to_balance if balancing.retries)
        return min(told_us, default=None)

    @property
    def told_to_balance(self) -> tuple[tuple[int, Balancing], ...]:
        """When faults told the balancer what about routing, whether or not it was seen to do so."""
        injected = ((fault.injected_us, FAULTS.get(fault.kind)) for fault in self.faults)
        return tuple((at_us, it.balancing) for at_us, it in injected if at_us is not None and it and it.balancing)

    def as_judged(self, exchange: Exchange) -> Exchange:
        """The exchange as a judge takes it: *unknown* where the balancer may have repeated a write that was refused.

        The client saw one answer, that of the last node asked, and calls a refusal *failed*. What a node before it had
        done nobody said; the balancer's log would not tell of all, either, and is not always there.
        """
        since_us = self.retries_since_us
        if since_us is None or exchange.outcome != "failed" or exchange.do not in WRITES or not exchange.status:
            return exchange
        return exchange if exchange.done_us < since_us else msgspec.structs.replace(exchange, outcome="unknown")

    @property
    def balancer_fell(self) -> bool:
        """The balancer was struck: what it had begun it did not finish, nor write down."""
        return any(fault.victim == "balancer" and fault.injected_us is not None for fault in self.faults)

    def is_guests(self, request: str) -> bool:
        """Whether a person with a browser sent the request of that id: no shopper of the run, nor its harness."""
        return bool(self.guests) and not request.startswith(self.run)


def run_timeline(architecture: str, events: Iterable[Event], planned: Sequence[PlannedFault] = ()) -> RunTimeline:
    """What the events of one architecture tell, and what was planned for it."""
    run = RunTimeline(architecture)
    faults = {
        number: FaultTimeline(
            number, fault.kind, fault.victim,
            planned_us=fault.at_ms * 1000, planned_heal_us=fault.heal_at_ms * 1000,
        )
        for number, fault in enumerate(planned)
    }  # fmt: skip
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
            # Not in the plan if somebody made it by hand, in a round that still goes on.
            before = faults.get(event.fault) or FaultTimeline(event.fault, event.kind, event.victim)
            faults[event.fault] = _stepped(before, event)
        elif isinstance(event, AtRisk):
            before = faults.get(event.fault) or FaultTimeline(event.fault, "", event.victim)
            faults[event.fault] = msgspec.structs.replace(
                before, at_risk=event.users, at_risk_us=event.at_us, at_risk_source=event.source
            )
        else:
            run = _told(run, event)
    by_number = tuple(assembled(faults[number]) for number in sorted(faults))
    return msgspec.structs.replace(
        run, faults=by_number, fault_events=tuple(steps), load_cpu=tuple(cpu), fullest=fullest
    )


def assembled(fault: FaultTimeline) -> FaultTimeline:
    """With what the fault's own file says of its kind, and with the time at which it did what it does."""
    about = FAULTS.get(fault.kind)
    if about is not None:
        fault = msgspec.structs.replace(
            fault, strikes=about.strikes, takes_memory=about.takes_memory, stays=about.stays
        )
    # A deploy drains first: what its victim held is gone only when the new version takes the place.
    at_healing = about is not None and about.takes_memory and about.forgets == "healed"
    return msgspec.structs.replace(fault, takes_effect_us=_effect(fault, at_healing=at_healing))


def _effect(fault: FaultTimeline, *, at_healing: bool) -> tuple[int, int] | None:
    if fault.injected_us is None or fault.observed_us is None:
        return None
    if not at_healing:
        return fault.injected_us, fault.observed_us
    return None if fault.healed_us is None else (fault.healed_us, fault.at_risk_us or fault.healed_us)


def _told(run: RunTimeline, event: Event) -> RunTimeline:
    """The timeline with what a single event says."""
    if isinstance(event, ClusterReady):
        return msgspec.structs.replace(
            run, description=event.description, nodes=event.nodes, limits=event.limits, application=event.application
        )
    if isinstance(event, GuestsAdmitted):
        return msgspec.structs.replace(run, guests=event.users, run=event.run)
    if isinstance(event, NodeAdded):
        return msgspec.structs.replace(run, added=(*run.added, event.node))
    if isinstance(event, LoadStarted):
        return msgspec.structs.replace(run, epoch_us=event.epoch_us)
    if isinstance(event, LoadEnded):
        return msgspec.structs.replace(run, ended=event)
    if isinstance(event, RunInterrupted):
        return msgspec.structs.replace(run, interrupted=event.why)
    return run


_TIMED = ("injected", "observed", "healed", "observed_healed")
"""Phases whose time is kept: `injected_us`, and so on."""
_WORDS = {"observed": "evidence", "nothing_there": "nothing_there", "spared": "not_applied"}


def _stepped(fault: FaultTimeline, event: FaultEvent) -> FaultTimeline:
    """The timeline one step further; of a step that was taken again, the last time counts."""
    changes: dict[str, Any] = {"kind": event.kind, "victim": event.victim}
    if event.phase in _TIMED:
        changes[f"{event.phase}_us"] = event.at_us
    if event.phase in _WORDS:
        changes[_WORDS[event.phase]] = event.evidence if event.phase == "observed" else "; ".join(event.evidence)
    return msgspec.structs.replace(fault, **changes)
