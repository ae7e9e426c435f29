"""The events of a run: what the harness did and saw, with times. `events.ndjson`, one record a line, in order.

`at_us` is microseconds since the zero of the architecture's load window; negative before it. `LoadStarted` ties that
zero to the wall clock, which the balancer's and the nodes' own logs use.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from compose.architectures import Architecture
from compose.cluster import Limits, Usage
from loadtests.model.application import ApplicationFacts
from shared.ndjson import read_records


class _Event(msgspec.Struct, frozen=True, tag_field="event", forbid_unknown_fields=True):
    """What every event has."""

    architecture: str
    at_us: int


class ClusterReady(_Event, frozen=True, tag="cluster_ready", omit_defaults=True):
    """The cluster was observed to be ready."""

    description: Architecture
    engine: str
    nodes: tuple[str, ...]
    limits: Limits
    versions: dict[str, str]
    """Of the balancer, the store, the node server, … ."""
    took_s: float
    application: ApplicationFacts | None = None
    """What runs there, if it is none of the twins."""


class LoadStarted(_Event, frozen=True, tag="load_started"):
    """The zero of all times of this architecture."""

    epoch_us: int
    """Wall clock (microseconds since 1970) at the zero."""
    workers: int


FaultPhase = Literal[
    "injected", "observed", "not_observed", "healed", "observed_healed", "not_healed", "nothing_there", "spared",
]  # fmt: skip
"""nothing_there: this architecture has no such part (no store, no balancer's cookie), so nothing can break. spared: it
could have been struck, and somebody chose to make this fault on another architecture only."""


class FaultEvent(_Event, frozen=True, tag="fault"):
    """One step of one fault; `injected` and `healed` come from the doer, the others from the observer."""

    fault: int
    """Index into the plan's faults."""
    kind: str
    victim: str
    phase: FaultPhase
    evidence: tuple[str, ...] = ()


class AtRisk(_Event, frozen=True, tag="at_risk"):
    """Who could lose something when the fault struck, read from the victim and never from the shoppers."""

    fault: int
    victim: str
    users: tuple[str, ...]
    """Users whose logged-in sessions the victim held in its memory when it was hit; sorted, and without guests."""
    source: str
    """How it was read, in words."""


class GuestsAdmitted(_Event, frozen=True, tag="guests_admitted"):
    """People with browsers may come beside the shoppers: what they ask the shop is in its logs, and in no history."""

    users: tuple[str, ...]
    """Their accounts, which no shopper uses; sorted."""
    run: str
    """How the ids of all requests begin that are not a guest's."""


class NodeSample(_Event, frozen=True, tag="node_sample"):
    """Sessions each node holds in its memory, sampled while the load runs; -1: the node did not answer."""

    sessions: dict[str, int]


class PartSample(_Event, frozen=True, tag="part_sample"):
    """What each node and each store uses of the machine, sampled with the sessions; dead parts are left out."""

    usage: dict[str, Usage]


class NodeAdded(_Event, frozen=True, tag="node_added"):
    """A node was added by a fault; it has a request log of its own from then on."""

    fault: int
    node: str


class LoadSample(_Event, frozen=True, tag="load_sample"):
    """The load process, from its own progress lines."""

    worker: int
    cpu_percent: float
    """Of one core, since the sample before."""


class LoadEnded(_Event, frozen=True, tag="load_ended"):
    """The load process ended. `clean` is False if it died or did not end in time: such a run is void."""

    clean: bool
    cpu_s: float
    exchanges: int
    why: str = ""


class ClusterStopped(_Event, frozen=True, tag="cluster_stopped"):
    """The cluster was stopped and nothing was left of it."""

    took_s: float


class RunInterrupted(_Event, frozen=True, tag="interrupted"):
    """Ctrl-C, SIGTERM or an error: this architecture was not measured to its end."""

    why: str


Event = (
    ClusterReady
    | LoadStarted
    | FaultEvent
    | AtRisk
    | GuestsAdmitted
    | NodeSample
    | PartSample
    | NodeAdded
    | LoadSample
    | LoadEnded
    | ClusterStopped
    | RunInterrupted
)

# Strict, each by its own word: an event of a later version is damage to this one, and nothing to be passed over.
_decode = msgspec.json.Decoder(Event).decode


def read_events(path: Path) -> Iterator[Event]:
    """The events of a run, one by one.

    Raises:
        RunFolderError: the file or a line cannot be read; names the line.
    """
    return read_records(path, _decode, "an event")
