"""The events of a run: what the harness did and saw, with times. `events.ndjson`, one record a line, in order.

`at_us` is microseconds since the zero of the architecture's load window; negative before it. `LoadStarted` ties that
zero to the wall clock, which the balancer's and the nodes' own logs use.
"""

import threading
import time
from collections.abc import Callable, Iterator
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
_encode = msgspec.json.Encoder().encode


def read_events(path: Path) -> Iterator[Event]:
    """The events of a run, one by one.

    Raises:
        RunFolderError: the file or a line cannot be read; names the line.
    """
    return read_records(path, _decode, "an event")


class EventLog:
    """Writes the events of one architecture while a run goes on; safe to call from the threads that carry out faults.

    Times count from the zero of the load window, which is known only once the cluster is ready: what comes before
    waits in memory until `set_zero`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._zero_ns: int | None = None
        self._waiting: list[tuple[int, Callable[[int], Event]]] = []
        self._lock = threading.Lock()

    def set_zero(self, monotonic_ns: int) -> None:
        """Fix the zero of all times, and write what waited for it."""
        with self._lock:
            self._zero_ns = monotonic_ns
            for moment_ns, make in self._waiting:
                self._append(moment_ns, make)
            self._waiting.clear()

    def write(self, make: Callable[[int], Event]) -> None:
        """Write the event that `make` builds from `at_us`: now, in microseconds since the zero."""
        moment_ns = time.monotonic_ns()  # when it happened, not when another thread let go of the lock
        with self._lock:
            if self._zero_ns is None:
                # A function and not an event: what it says of its time can be written only once the zero is known.
                self._waiting.append((moment_ns, make))
            else:
                self._append(moment_ns, make)

    def close(self) -> None:
        """Write what still waits: a run that ended before its load began gets this moment as its zero."""
        if self._zero_ns is None:
            self.set_zero(time.monotonic_ns())

    def _append(self, moment_ns: int, make: Callable[[int], Event]) -> None:
        assert self._zero_ns is not None
        line = _encode(make((moment_ns - self._zero_ns) // 1000)) + b"\n"
        # Opened for each line: nothing of it is in a buffer when the harness is killed.
        with self._path.open("ab") as events:
            events.write(line)
