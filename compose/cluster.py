"""The contract of an engine, and what a running cluster can be asked.

A cluster is a balancer, N nodes, and (where the architecture needs one) a session store; a database holds accounts and
orders. An *engine* starts clusters: `compose.engines.processes` here, containers later. `tests/compose/contract.py`
holds the tests that every engine inherits.

Times are `time.monotonic()` seconds, which all processes of one machine share. Every wait is bounded by `Limits`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from compose.architectures import Architecture
from compose.changes import Balancing, NodeChanges, Reply, Trouble, Wire
from compose.node_state import NodeState
from shared.database_order import DatabaseOrder
from shared.errors import PortTaken, UsageError
from shared.sessions import HeldSession

if TYPE_CHECKING:
    from compose.ledger import Ledger


class Limits(msgspec.Struct, frozen=True):
    """Every bound and setting that can decide an outcome; all of them are printed in the report."""

    cluster_ready_s: float = 30.0
    """From the first start of a part until every part was seen to be ready."""
    node_ready_s: float = 15.0
    """From the start of a node until it answers."""
    stop_s: float = 5.0
    """How long a part may take to end by itself; then it is killed."""
    health_interval_s: float = 0.5
    """How often the balancer asks each node for its health."""
    health_timeout_s: float = 0.5
    """How long it waits for an answer to that."""
    unhealthy_after: int = 2
    """So many health questions in a row unanswered, and it sends the node nobody any more."""
    balancer_connect_timeout_s: float = 0.5
    """How long the balancer tries to connect to a node."""
    balancer_route_timeout_s: float = 5.0
    """How long it waits for a node to answer a request."""
    balancer_upstream_idle_s: float = 10.0
    """After this the balancer closes an idle connection to a node: sooner than the node, or it meets closed ones."""
    balancer_retries: int = 0
    """How often it sends a request that failed to another node; 0, or it would hide what is measured."""
    node_threads: int = 8
    """Requests that one process of a node works on at a time."""
    node_workers: int = 1
    """Processes that serve one node's address. With more than one, each has a memory of its own."""
    deep_health: bool = False
    """A node's health check asks the session store too."""
    slow_page_ms: int = 400
    """How long the shop's slow page (its recommendations) takes."""
    session_lifetime_s: int = 3600
    """How long a session lives after it was last written."""
    session_cap: int = 100_000
    """The most sessions that a node keeps in its memory; beyond it, old ones go."""
    session_refresh_each_request: bool = False
    """Every request writes its session again, as Flask-Session does by default; off: only what changed it."""
    store_timeout_s: float = 1.0
    """How long a node waits for the session store."""
    store_retries: int = 0
    """How often it asks the store again after an error."""
    store_append_only: bool = False
    """The session store writes each change to its file, and reads it when it starts."""
    store_memory_mb: int = 0
    """What the session store may hold; 0: no bound."""
    store_eviction: Literal["noeviction", "allkeys-lru"] = "noeviction"
    """What a full store does: refuse writes, or throw out what was not used for longest."""
    store_min_replicas: int = 0
    """The store refuses writes while fewer replicas than this keep up."""
    store_distance_ms: float = 0.0
    """How far away the store is: added to each of its answers."""
    regenerate_at_login: bool = True
    """A new session id at login; without, a planted id becomes the victim's login (session fixation)."""
    cart_lock: bool = False
    """Cart writes of one user wait for each other and begin with a fresh read, so that none undoes another."""
    idempotency_keys: bool = True
    """A checkout whose key was seen before is the same order, not a second one."""
    clock_leeway_s: int = 0
    """How far ahead of the node's own clock a token may have been signed."""
    rate_limit: str = ""
    """Of requests of one user, as Flask-Limiter writes it ("5 per second"); empty: none."""
    rate_limit_counters: Literal["node", "store"] = "node"
    """Where the limiter counts: each node for itself, or all in the session store."""
    password_cost: int = 1024
    """The N of scrypt; low on purpose: logins must not be what is measured."""


class ClusterSpec(msgspec.Struct, frozen=True):
    """Everything needed to start one cluster."""

    run: str
    """The run's id: in every answer (`X-Run`), in every process's environment, in the ledger."""
    architecture: Architecture
    nodes: int = 3
    accounts: int = 60
    """How many demo accounts: user-0001 … ."""
    password: str = "shop"
    limits: Limits = Limits()
    port: int | None = None
    """Where the balancer is to listen; None: on a free port."""
    wires: bool = False
    """Each node reaches the session store through a wire of its own, which can be slowed and cut."""


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one part uses of the machine, and what it counts."""

    cpu_s: float
    """Processor time since it was started, of all its processes."""
    memory_bytes: int
    """Resident, of all its processes."""
    counters: dict[str, int] = {}
    """Of a store: `commands` processed, `memory` it says it uses, keys `evicted`, `keys` it holds."""


class NodeAddress(msgspec.Struct, frozen=True):
    """Where a node listens by itself, past the balancer."""

    name: str
    url: str
    pid: int | None
    """The process group's leader; None where the engine has no processes of its own."""


class Observation(msgspec.Struct, frozen=True):
    """A part as seen from outside of whatever was done to it."""

    part: str
    at: float
    """time.monotonic() when the observation was complete."""
    process: bool
    """A process of the part exists (the engine's own books, asked of the operating system)."""
    answers: bool
    """A node's `/healthz` answers 200 with this run's id; the balancer's admin page does; a store answers PING."""
    in_rotation: bool
    """The balancer calls the node healthy and sends it new shoppers; for other parts the same as `answers`."""
    boot: str | None
    """A new id for each start of the part, by its own word; None if it does not answer."""
    evidence: tuple[str, ...]
    """The same in words, e.g. "connect to 127.0.0.1:41231: refused", "envoy: failed_active_hc"."""


class Cluster(ABC):
    """A running cluster. All operations may be repeated and called from several threads; none outlasts its limit.

    A *part* is a node (n1, n2, …), the `balancer`, and where there are any the `store`, its `replica` and `sentinel`.
    """

    spec: ClusterSpec
    folder: Path
    """Holds the logs, and until it is stopped `work/`: what it takes to run and to attach again, secrets too."""
    url: str
    """The balancer's address: what shoppers talk to."""
    admin_url: str
    """The balancer's admin address."""
    engine: str

    # what there is

    @abstractmethod
    def nodes(self) -> tuple[NodeAddress, ...]:
        """All nodes, dead ones too, in the order of their names n1, n2, … ."""

    @abstractmethod
    def parts(self) -> tuple[str, ...]:
        """All parts, dead ones too."""

    @abstractmethod
    def address(self, part: str) -> str:
        """Where we reach that part: `http://…` of a node, `redis://…` of a store or its replica."""

    # breaking and mending a part

    @abstractmethod
    def kill(self, part: str) -> None:
        """SIGKILL the part's whole process group. Returns at once; whether it died is for `observe` to say."""

    @abstractmethod
    def terminate(self, part: str) -> None:
        """SIGTERM it: it may end what it is doing. Returns at once."""

    @abstractmethod
    def freeze(self, part: str) -> None:
        """SIGSTOP it: it keeps its memory and its connections, and answers nobody."""

    @abstractmethod
    def thaw(self, part: str) -> None:
        """SIGCONT it. No-op if it is not frozen, or gone."""

    @abstractmethod
    def start(self, part: str) -> None:
        """Start a dead part again, on the same address. Returns when its process was started.

        No-op if it runs, or if the cluster was stopped.
        """

    @abstractmethod
    def observe(self, part: str) -> Observation:
        """Look at a part from outside: process table, port, balancer. At most 1 s."""

    @abstractmethod
    def probe(self, node: str) -> Reply:
        """Ask a node for a page of the shop, past the balancer. At most 3 s."""

    @abstractmethod
    def state(self, node: str) -> NodeState | None:
        """What a node says of itself, past the balancer; None if it does not answer. At most 1 s."""

    # changing how nodes behave

    @abstractmethod
    def change(self, node: str, changes: NodeChanges) -> None:
        """Settings that the node has from its next start on."""

    @abstractmethod
    def trouble(self, node: str, trouble: Trouble) -> None:
        """Tell a living node what to suffer from. No-op if it does not answer."""

    # changing who is served by whom

    @abstractmethod
    def drain(self, node: str) -> None:
        """New shoppers go to other nodes; those whom a cookie leads here still come (a ring moves its people away)."""

    @abstractmethod
    def undrain(self, node: str) -> None:
        """Send it everybody again."""

    @abstractmethod
    def add_node(self) -> str:
        """Start one node more and return its name at once; it is sent shoppers as soon as it is healthy."""

    @abstractmethod
    def remove_node(self, node: str) -> None:
        """Take it out of the balancer's membership, then SIGTERM it; it stays among `nodes()`, dead."""

    @abstractmethod
    def balance(self, balancing: Balancing) -> None:
        """Change how the running balancer routes, without dropping a connection."""

    @abstractmethod
    def balancing(self) -> Balancing:
        """How the balancer says that it routes now, read from its admin address."""

    # changing how the store is reached; only where `spec.wires`

    @abstractmethod
    def wire(self, end: str, wire: Wire) -> None:
        """Change the connection between that end (a node, or the replica) and the session store."""

    @abstractmethod
    def ask_across(self, end: str) -> Reply:
        """PING the session store over that end's wire. At most 3 s."""

    # evidence

    @abstractmethod
    def held(self, node: str) -> list[HeldSession] | None:
        """The logged-in sessions that the node says it holds in its memory; None if it does not answer."""

    @abstractmethod
    def orders(self) -> list[DatabaseOrder]:
        """Every order in the database, by order id."""

    @abstractmethod
    def logs(self) -> dict[str, Path]:
        """The logs by part: `balancer` (Envoy's own words), `access` (one JSON line a request, by Envoy),
        `n1` (what the node printed), `n1.requests` (one JSON line a request or session event, by the shop), `store`.
        """

    def usage(self) -> dict[str, Usage]:
        """What each node and each store uses of the machine, as far as the engine can tell. At most 1 s."""
        return {}

    def versions(self) -> dict[str, str]:
        """What runs the parts, beside Twinshop's own packages: image or program, and version."""
        return {}

    def check_engine(self) -> None:  # noqa: B027 - most engines are this process itself
        """Make sure that what runs the cluster is still there; asked again and again during a run.

        Raises:
            EnvironmentNotReady: it died; nothing measured from here on would mean anything.
        """

    @abstractmethod
    def stop(self) -> None:
        """Stop everything and close the ledger's entries. Safe to repeat, and after a half-failed start."""


START_TRIES = 3
"""A port is free when it is chosen and may be taken when it is used: then the cluster starts again on other ports."""


class Engine(ABC):
    """Starts clusters."""

    name: str

    def start(self, spec: ClusterSpec, folder: Path, ledger: Ledger) -> Cluster:
        """Start a cluster and return it once it was *observed* to be ready: nodes answer, the balancer has them.

        Raises:
            UsageError: the ledger is another run's.
            NotReadyInTime: with the last 32 lines of the guilty log; what was started has been stopped again.
            PortTaken: the spec's own port is taken, or others were, three times over.
            EnvironmentNotReady: as its name says.
        """
        if spec.run != ledger.run:
            raise UsageError(f"the cluster's run is {spec.run}, the ledger's {ledger.run}", why="they must be the same")
        tries = START_TRIES if spec.port is None else 1
        for _ in range(tries - 1):
            try:
                return self.start_once(spec, folder, ledger)
            except PortTaken:
                continue
        return self.start_once(spec, folder, ledger)

    @abstractmethod
    def start_once(self, spec: ClusterSpec, folder: Path, ledger: Ledger) -> Cluster:
        """As `start`, on ports chosen anew each time; whatever is raised, nothing that was started is left."""

    @abstractmethod
    def attach(self, folder: Path, ledger: Ledger) -> Cluster:
        """The running cluster that was started in that folder by an earlier process."""
