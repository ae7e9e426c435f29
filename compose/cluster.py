"""The contract of an engine, and what a running cluster can be asked.

A cluster is a balancer, N nodes, and (where the architecture needs one) a session store; a database holds accounts and
orders. An *engine* starts clusters: `compose.engines.processes` here, containers later. `tests/compose/contract.py`
holds the tests that every engine inherits.

Times are `time.monotonic()` seconds, which all processes of one machine share. Every wait is bounded by `Limits`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from compose.architectures import Architecture
from shared.database_order import DatabaseOrder
from shared.errors import PortTaken, UsageError
from shared.sessions import HeldSession

if TYPE_CHECKING:
    from compose.ledger import Ledger


class Limits(msgspec.Struct, frozen=True):
    """Every bound and setting that can decide an outcome; all of them are printed in the report."""

    cluster_ready_s: float = 30.0
    node_ready_s: float = 15.0
    stop_s: float = 5.0
    health_interval_s: float = 0.5
    health_timeout_s: float = 0.5
    unhealthy_after: int = 2
    balancer_connect_timeout_s: float = 0.5
    balancer_route_timeout_s: float = 5.0
    balancer_upstream_idle_s: float = 10.0
    """After this the balancer closes an idle connection to a node: sooner than the node, or it meets closed ones."""
    balancer_retries: int = 0
    node_threads: int = 8
    session_lifetime_s: int = 3600
    session_cap: int = 100_000
    session_refresh_each_request: bool = False
    store_timeout_s: float = 1.0
    store_retries: int = 0
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


class NodeAddress(msgspec.Struct, frozen=True):
    """Where a node listens by itself, past the balancer."""

    name: str
    url: str
    pid: int | None
    """The process group's leader; None where the engine has no processes of its own."""


class Observation(msgspec.Struct, frozen=True):
    """A node as seen from outside of whatever was done to it."""

    node: str
    at: float
    """time.monotonic() when the observation was complete."""
    process: bool
    """A process of the node exists (the engine's own books, asked of the operating system)."""
    answers: bool
    """Its port accepts a connection and `/healthz` answers 200 with this run's id."""
    in_rotation: bool
    """The balancer calls it healthy."""
    boot: str | None
    """A new id for each start of the node, from its `/healthz` answer; None if it does not answer."""
    evidence: tuple[str, ...]
    """The same in words, e.g. "connect to 127.0.0.1:41231: refused", "envoy: failed_active_hc"."""


class Cluster(ABC):
    """A running cluster. All operations may be repeated and called from several threads; none outlasts its limit."""

    spec: ClusterSpec
    folder: Path
    """Holds the logs, and until it is stopped `work/`: what it takes to run and to attach again, secrets too."""
    url: str
    """The balancer's address: what shoppers talk to."""
    admin_url: str
    """The balancer's admin address."""
    engine: str

    @abstractmethod
    def nodes(self) -> tuple[NodeAddress, ...]:
        """All nodes, dead ones too, in the order of their names n1, n2, … ."""

    @abstractmethod
    def kill(self, node: str) -> None:
        """SIGKILL the node's whole process group. Returns at once; whether it died is for `observe` to say."""

    @abstractmethod
    def start_node(self, node: str) -> None:
        """Start a dead node again, on the same address. Returns when its process was started.

        No-op if it runs, or if the cluster was stopped.
        """

    @abstractmethod
    def observe(self, node: str) -> Observation:
        """Look at a node from outside: process table, port, balancer. At most 1 s."""

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
