"""The contract of an engine, and what a running cluster can be asked.

An *engine* starts clusters: `compose.engines.processes` as processes, `compose.engines.docker` as containers.
`tests/compose/contract.py` holds the tests that every engine inherits.
"""

from abc import ABC, abstractmethod
from collections import Counter
from pathlib import Path
from typing import Literal

from compose.applications.contract import NodeState
from compose.cluster import Balancing, ClusterSpec, NodeAddress, NodeChanges, Observation, Reply, Usage, Wire
from compose.supervision.ledger import Ledger
from shared.demo_accounts import DatabaseOrder
from shared.errors import ForeignAnswer, PortTaken, UsageError
from shared.sessions import HeldSession, Injection

Blow = Literal["kill", "terminate", "freeze", "thaw"]


class Cluster(ABC):
    """A running cluster. All operations may be repeated and called from several threads; none outlasts its limit.

    A *part* is a node (n1, n2, …), the `balancer`, and where there are any the `store`, its `replica` and `sentinel`,
    and the `cache` of pages before the balancer.
    """

    spec: ClusterSpec
    folder: Path
    """Holds the logs, and until it is stopped `work/`: what it takes to run and to attach again, secrets too."""
    url: str
    """The balancer's address."""
    shop_url: str
    """What shoppers talk to: the cache before the balancer, if there is one."""
    admin_url: str
    """The balancer's admin address."""
    confidential: tuple[str, ...] = ()
    """What no log of an application may keep, once the cluster is stopped."""

    @abstractmethod
    def nodes(self) -> tuple[NodeAddress, ...]:
        """All nodes, dead ones too, in the order of their names n1, n2, … ."""

    @abstractmethod
    def parts(self) -> tuple[str, ...]:
        """All parts, dead ones too."""

    @abstractmethod
    def address(self, part: str) -> str:
        """Where we reach that part: `http://…` of a node, `redis://…` of a store or its replica."""

    def kill(self, part: str) -> None:
        """SIGKILL the part's whole process group. Returns at once; whether it died is for `observe` to say."""
        self.strike("kill", part)

    def terminate(self, part: str) -> None:
        """SIGTERM it: it may end what it is doing. Returns at once."""
        self.strike("terminate", part)

    def freeze(self, part: str) -> None:
        """SIGSTOP it: it keeps its memory and its connections, and answers nobody."""
        self.strike("freeze", part)

    def thaw(self, part: str) -> None:
        """SIGCONT it. No-op if it is not frozen, or gone."""
        self.strike("thaw", part)

    @abstractmethod
    def strike(self, blow: Blow, part: str) -> None:
        """Carry out one of these four."""

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

    @abstractmethod
    def change(self, node: str, changes: NodeChanges) -> None:
        """Settings that the node has from its next start on."""

    @abstractmethod
    def trouble(self, node: str, trouble: Injection) -> None:
        """Tell a living node what to suffer from. No-op if it does not answer."""

    @abstractmethod
    def drain(self, node: str) -> None:
        """New shoppers go to other nodes; those whom a cookie leads here still come (a ring moves its people away)."""

    @abstractmethod
    def undrain(self, node: str) -> None:
        """Send it everybody again."""

    @abstractmethod
    def add_node(self) -> str:
        """Start one node more and return its name; it is sent shoppers as soon as it is healthy."""

    @abstractmethod
    def remove_node(self, node: str) -> None:
        """Take it out of the balancer's membership, then SIGTERM it; it stays among `nodes()`, dead."""

    @abstractmethod
    def balance(self, balancing: Balancing) -> None:
        """Change how the running balancer routes, without dropping a connection."""

    @abstractmethod
    def balancing(self) -> Balancing:
        """How the balancer says that it routes now, read from its admin address."""

    @abstractmethod
    def ask_strangers(self, times: int) -> Counter[str]:
        """How many of so many people whom nobody knows each node answers. Waits for none longer than 1 s."""

    @abstractmethod
    def reload_balancer(self) -> None:
        """Let the balancer read its files anew, though nothing in them has changed. Returns when it was told."""

    @abstractmethod
    def wire(self, end: str, wire: Wire) -> None:
        """Change the connection between that end (a node, or the replica) and the session store, if it is a wire."""

    @abstractmethod
    def ask_across(self, end: str) -> Reply:
        """PING the session store over that end's wire. At most 3 s."""

    @abstractmethod
    def held(self, node: str) -> list[HeldSession] | None:
        """The logged-in sessions that the node says it holds in its memory; None if it does not answer."""

    @abstractmethod
    def orders(self) -> list[DatabaseOrder]:
        """Every order in the database, by order id."""

    @abstractmethod
    def logs(self) -> dict[str, Path]:
        """The logs by part: `balancer` (its own words), `access` (one JSON line a request, as the balancer saw it),
        `n1` (what the node printed), `n1.requests` (one JSON line a request or session event, by the shop), `store`.
        """

    def ask_as_shopper(self, request: str) -> dict[str, str]:
        """The headers (names in lower case) of the answer to a page that everybody is shown, asked as a stranger where
        shoppers come, under an id that ends so; none if nobody answers. At most 1 s."""
        return {}

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
"""A port is free when it is chosen and may be taken, or answered by another, when it is used: then the cluster starts
again on other ports."""


class Engine(ABC):
    """Starts clusters."""

    name: str

    def start(self, spec: ClusterSpec, folder: Path, ledger: Ledger) -> Cluster:
        """Start a cluster and return it once it was *observed* to be ready: nodes answer, the balancer has them.

        Raises:
            UsageError: the ledger is another run's.
            NotReadyInTime: with the last 32 lines of the guilty log; what was started has been stopped again.
            PortTaken, ForeignAnswer: the spec's own port is taken, or others were, three times over.
            EnvironmentNotReady: as its name says.
        """
        if spec.run != ledger.run:
            raise UsageError(f"the cluster's run is {spec.run}, the ledger's {ledger.run}", why="they must be the same")
        folder = folder.absolute()  # its processes have working folders of their own, and `recover` is run anywhere
        tries = START_TRIES if spec.port is None else 1
        for _ in range(tries - 1):
            try:
                return self.start_once(spec, folder, ledger)
            except (PortTaken, ForeignAnswer):
                continue
        return self.start_once(spec, folder, ledger)

    @abstractmethod
    def start_once(self, spec: ClusterSpec, folder: Path, ledger: Ledger) -> Cluster:
        """As `start`, on ports chosen anew each time; whatever is raised, nothing that was started is left."""

    @abstractmethod
    def attach(self, folder: Path, ledger: Ledger) -> Cluster:
        """The running cluster that was started in that folder by an earlier process."""
