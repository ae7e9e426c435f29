"""The contract of an application under test: what runs behind the balancer, and what can be known of it.

An engine starts its nodes, and everything that is asked or told of a node goes through it. What an application cannot
do stands in its `can`, and is then not asked: not measured, never taken for a zero.
"""

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from compose.applications.compose_file import ComposeService
from compose.cluster import FIRST_FORMAT, ClusterSpec, HttpInterface, Key, Reply
from compose.interface import ShopperInterface
from compose.probes import SelfReport
from compose.supervision.ports import Listen
from shared.demo_accounts import DatabaseOrder
from shared.sessions import HeldSession, Injection

Grade = Literal["A", "B", "C"]
"""How much can be seen: A shoppers, balancer and nodes; B shoppers and balancer; C shoppers only."""


class ApplicationCapabilities(msgspec.Struct, frozen=True):
    """What an application's nodes can do beyond answering shoppers."""

    behind_our_balancer: bool = True
    """We start its nodes; False: it runs somewhere already."""
    names_itself: bool = False
    """Its answers say which node gave them."""
    logs_requests: bool = False
    """Each node writes a log of its requests and sessions, by request id."""
    lists_sessions: bool = False
    """A node tells which sessions it holds."""
    takes_trouble: bool = False
    """A living node can be told what to suffer from."""
    shows_orders: bool = False
    """Its orders can be read from its database."""
    takes_settings: bool = False
    """Limits of its cluster are settings of its nodes, too."""
    takes_keys: bool = False
    """A node can be started with other keys, and says which it has."""
    takes_versions: bool = False
    """A node can be started as another version of the code, and says which it is."""
    answers_by_status: bool = False
    """Status 2xx is a success, and nothing else is; otherwise its description says how to tell."""

    def lacks(self, asked: str) -> str:
        """Why it cannot do what is asked of it, a field of these; "" if it can, or nothing is asked."""
        return "" if not asked or getattr(self, asked) else LACKS[asked]

    @property
    def grade(self) -> Grade:
        """How much can be seen of it."""
        if not self.behind_our_balancer:
            return "C"
        return "A" if self.names_itself and self.logs_requests else "B"


LACKS = {
    "takes_trouble": "its nodes cannot be told what to suffer from",
    "takes_settings": "the cluster's settings are none of its nodes'",
    "takes_keys": "its nodes cannot be given other keys",
    "takes_versions": "its nodes cannot be started as another version of the code",
}
"""What can be asked of an application for a fault, and in words that it cannot."""


class NodeState(msgspec.Struct, frozen=True):
    """One process of a node, in its own words."""

    boot: str
    pid: int
    pids: tuple[int, ...] = ()
    """Of all processes that serve the node's address, where one of them knows."""
    key: Key | None = None
    """What it signs with; None: a key that the cluster does not know."""
    fallback: Key | None = None
    clock_us: int = 0
    """Its wall clock as sessions read it: microseconds since 1970."""
    trouble: Injection = Injection()
    session_format: str = ""
    """What it makes of sessions: a version of the shop's code; "" if it does not say."""


class NodeSetup(msgspec.Struct, frozen=True):
    """What one node is started with; all addresses and paths are as the node itself sees them."""

    node: str
    listen: Listen
    database_url: str
    """Of accounts and orders."""
    secret_key: str
    """Signs tokens and forms."""
    control_token: str
    """Opens the node's control pages."""
    request_log: str
    """The path of its request log."""
    session_format: str = FIRST_FORMAT
    """The version of the shop's code, as far as sessions are concerned."""
    store_url: str = ""
    """Of the session store."""
    fallback_key: str = ""
    """Accepted beside `secret_key`, not used for signing."""
    sentinel: str = ""
    """host:port of who knows where the session store is."""
    replica_self: str = ""
    """host:port where this node listens for other nodes' sessions."""
    replica_peers: str = ""
    """host:port,host:port of the other nodes."""
    folder: str = ""
    """A folder that all nodes share, new in each run; and, below it, one of the node's own by its name."""


class Application(ABC):
    """What is under test. Everything but starting is asked past the balancer, at a node's own address `url`."""

    can: ApplicationCapabilities
    http: HttpInterface
    interface: ShopperInterface
    """What its shoppers can ask of it, and what its answers mean."""
    home: str = ""
    """The folder in which its commands are run; "": the cluster's own."""
    if_not_ready: str = ""
    """What to say of a node that does not get ready, behind what was seen."""

    @abstractmethod
    def command(self, spec: ClusterSpec, setup: NodeSetup, python: str = sys.executable) -> list[str]:
        """The command that runs a node: as a process of this machine, or with another Python in a container."""

    def service(self) -> ComposeService | None:
        """What its containers are made of, if it is a service of somebody's compose file; None: the node's image.

        Raises:
            DescriptionError, EnvironmentNotReady: it cannot be had.
        """
        return None

    @abstractmethod
    def environment(self, spec: ClusterSpec, setup: NodeSetup) -> dict[str, str]:
        """Every setting of a node, by variable, beside the environment that all processes have."""

    def prepare(self, spec: ClusterSpec, database_url: str) -> None:  # noqa: B027 - or done before it starts
        """Make the tables and the demo accounts; safe to repeat.

        Raises:
            EnvironmentNotReady: the database cannot be reached or written.
        """

    def before_start(self, spec: ClusterSpec, setup: NodeSetup, log: Path) -> None:  # noqa: B027 - most need nothing
        """What must be there before any node starts, with the setup of the first; what it prints goes to `log`.

        Raises:
            EnvironmentNotReady: it failed, or took too long.
        """

    def blank(self, logs: Mapping[str, Path], secrets: Iterable[str]) -> None:  # noqa: B027 - most write none down
        """Take these secrets, and its own, out of the logs of a cluster that has ended; `logs`: by part."""

    @abstractmethod
    def health(self, url: str, run: str) -> SelfReport:
        """Ask a node how it is, within `PROBE_S`."""

    def served(self, answer_headers: Mapping[str, str], run: str) -> str:
        """Why an answer with these headers (names in lower case) is not of a node of that run; "": it may be."""
        return ""

    @abstractmethod
    def probe(self, url: str) -> Reply:
        """Ask a node for a page that every shopper sees, within 3 s."""

    def state(self, url: str, control_token: str, keys: Mapping[Key, str]) -> NodeState | None:
        """What a node says of itself, within 1 s; None if it does not answer. `keys`: the cluster's, by name."""
        return None

    def held(self, url: str, control_token: str) -> list[HeldSession] | None:
        """The logged-in sessions that a node says it holds, within 1 s; None if it does not answer."""
        return None

    def trouble(self, url: str, control_token: str, trouble: Injection) -> None:  # noqa: B027 - asked if it can take it
        """Tell a node what to suffer from; nothing happens if it does not answer.

        Raises:
            TwinshopError: it answers, but will not.
        """

    def administer(self, url: str, control_token: str, user: str, what: Literal["end", "disable"]) -> int:
        """As an administrator, at one node: end the user's sessions, or disable the account, which ends them, too.

        Returns:
            The status of the answer; 0 if there is none, or nobody can be told such things.
        """
        return 0

    def orders(self, database_url: str) -> list[DatabaseOrder]:
        """Every order in the database, by order id."""
        return []
