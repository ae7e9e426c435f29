"""The contract of a load balancer: one file each; nothing else knows which one runs.

A balancer is files, a command, and answers. `files` is everything that it reads, for the members and the routing as
they are to be: the engine writes those that have changed, each replaced by rename, then sends `reload_signal` if there
is one. Where that is one file in the program's own language, it is made from a template beside the module. What a
balancer cannot do stands in its `can`, and is said, not imitated.
`tests/compose/balancers/contract.py` holds the tests that every balancer inherits.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from functools import cache
from importlib.metadata import files
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from compose.architectures import Affinity
from compose.balancers.access_log import AccessLine
from compose.cluster import Balancing, ClusterSpec, HttpInterface
from compose.probes import SelfReport
from compose.supervision.ports import Listen
from shared.errors import EnvironmentNotReady

if TYPE_CHECKING:
    from jinja2 import Environment

OUR_LOG = "access.ndjson"
"""The access log as our record, in a cluster's folder."""
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_VERSION_WITHIN_S = 3.0
_MADE_HERE = (502, 503, 504)
_SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin")  # where servers are installed; a user's PATH may lack them


class Variant(msgspec.Struct, frozen=True):
    """One way to set a balancer up; each is a balancer of its own, by the name `<program>-<variant>`."""

    name: str
    title: str
    """For people, behind the program's."""
    as_shipped: bool = False
    """Only addresses and affinity are set: health checks, retries and times are the program's own."""


RECOMMENDED = Variant("", "")
"""As the program's own documentation advises, with the lab's limits, and no retries unless they say so."""
AS_SHIPPED = Variant("as-shipped", "as shipped", as_shipped=True)


class BalancerCapabilities(msgspec.Struct, frozen=True):
    """What a balancer can do, as data."""

    affinities: frozenset[Affinity]
    drain: bool = False
    """A member can be kept for those whom a cookie leads there."""
    live_membership: bool = False
    """Members come and go without a dropped connection."""
    live_affinity: bool = False
    """Affinity can be taken away and given back while it runs."""
    live_retries: bool = False
    """So can retries."""
    reloads: bool = False
    """It has a reload that does something where nothing was changed: new processes take the place of the old ones."""
    tells_health: bool = False
    """It says which members it calls healthy; otherwise that is observed by asking through it."""
    learns_from_failures: bool = False
    """It calls a node dead when requests of shoppers failed there: to ask through it is then to change it."""
    affinity_table: bool = False
    """Who belongs to which node stands in its own memory, and in no cookie."""
    cookie_lifetime: bool = False
    """Its cookie that leads to a node can have a lifetime of its own."""
    public: bool = False
    """It can listen for people with browsers, too (`compose.cluster.PublicListener`)."""
    cannot: tuple[str, ...] = ()
    """What else it cannot do, in sentences."""


class Program(msgspec.Struct, frozen=True):
    """The balancer's program on this machine."""

    path: Path
    version: str
    pinned: bool
    """From the package that we depend on; otherwise the system's own."""


class Member(msgspec.Struct, frozen=True):
    """A node as the balancer reaches it."""

    node: str
    address: Listen
    draining: bool = False
    """Nobody is sent there whose affinity does not name it."""
    weight: int = 1


class Routing(msgspec.Struct, frozen=True):
    """Who is served by whom, as it is to be."""

    members: tuple[Member, ...] = ()
    balancing: Balancing = Balancing()


class Site(msgspec.Struct, frozen=True):
    """Where a balancer runs; all addresses and paths are as it sees them itself."""

    spec: ClusterSpec
    http: HttpInterface
    """Of the application behind it."""
    listen: Listen
    """Where shoppers come."""
    admin: Listen
    """Where it answers for itself."""
    folder: Path
    """Of its files."""
    access_log: Path
    """Where a line for each request goes."""
    public: Listen | None = None
    """Where people with browsers come; None: nowhere."""


class MemberHealth(msgspec.Struct, frozen=True):
    """One member, as the balancer treats it."""

    trouble: tuple[str, ...] = ()
    """Why it is out of rotation, in words; empty: it is in."""
    remark: str = ""
    """What else is to be said of it."""

    def __str__(self) -> str:
        return ", ".join((*self.trouble, self.remark) if self.remark else self.trouble) or "healthy"

    @property
    def in_rotation(self) -> bool:
        """Whether the balancer sends shoppers there."""
        return not self.trouble


class Balancer(ABC):
    """A load balancer."""

    name: str
    """Of its file, and in a `ClusterSpec`."""
    title: str
    """For people."""
    variant = RECOMMENDED
    system_names: tuple[str, ...]
    """What the system's own program may be called."""
    version_words: tuple[str, ...] = ("--version",)
    """On its command line, to ask for its version."""
    version: str
    """That we depend on; of the system's own, the first two numbers must be the same, or stand in `also`."""
    also: tuple[str, ...] = ()
    """Other versions of the system's own that hold the contract ("2.6")."""
    package: str
    """That brings the program."""
    image = ""
    """For containers; empty: it runs as a process only."""
    can: BalancerCapabilities
    config_file: str
    """The name of its file, where it has only one: it is made from the template of that name, `haproxy.cfg.j2`."""
    own_log = OUR_LOG
    """The name of the log that it writes; another name means another format, which `record` reads."""
    reload_signal = ""
    """Sent to its first process when its files have changed ("SIGHUP"); empty: it watches them."""
    end_signal = ""
    """Sent to its first process before SIGTERM, where that one would cut off the last lines of its log ("SIGUSR1")."""
    start_page = ""
    """Where `started` looks, as an evidence writes it behind the admin address: a page, or a command."""
    sources: tuple[str, ...] = ()
    """Pages of its own documentation that advise what is set."""

    def __init__(self, variant: Variant = RECOMMENDED, **can: bool) -> None:
        """`can`: what it can in this variant, and otherwise cannot."""
        self.can = msgspec.structs.replace(self.can, **can)
        if variant.name:
            self.variant = variant
            self.name = f"{self.name}-{variant.name}"
            self.title = f"{self.title}, {variant.title}"

    @property
    def asks_health(self) -> bool:
        """It asks nodes for their health; otherwise a dead one stays in rotation until requests fail, or for good."""
        return not (self.variant.as_shipped or self.can.learns_from_failures)

    def cannot_serve(self, affinity: Affinity, wanted: Collection[str] = ()) -> str:
        """Why it cannot route so, or lacks something that is wanted of its `can` (names of fields); "": it can."""
        if affinity not in self.can.affinities:
            return f"{self.title} cannot route by {affinity}; it can by {', '.join(sorted(self.can.affinities))}"
        if missing := [name.replace("_", " ") for name in wanted if not getattr(self.can, name)]:
            return f"{self.title} lacks: {', '.join(missing)}. {' '.join(self.can.cannot)}"
        return ""

    def packaged(self) -> Path:
        """The program that the package brings into the environment's `bin`.

        Raises:
            ImportError, OSError: there is no such package, or no program in it.
        """
        for file in files(self.package) or ():
            if file.name == self.system_names[0]:
                return Path(str(file.locate())).resolve(strict=True)  # strict: a file that the list has may be gone
        raise ImportError(f"the package {self.package} brings no program {self.system_names[0]!r}")

    @abstractmethod
    def words(self, site: Site) -> list[str]:
        """What stands behind the program on its command line."""

    @property
    def how_to_get(self) -> str:
        """The one command that brings its program."""
        return f"pip install {self.package}=={self.version}"

    def program(self) -> Program:
        """The package's program, else the system's own if its version will do.

        Raises:
            EnvironmentNotReady: there is none that would do.
        """
        try:
            return Program(self.packaged(), self.version, pinned=True)
        except (ImportError, OSError):  # no such package; or none of its wheels has a program for this machine
            path = os.pathsep.join((os.environ.get("PATH", ""), *_SYSTEM_FOLDERS))
            found = next(filter(None, (shutil.which(name, path=path) for name in self.system_names)), None)
        why = f"neither the package {self.package} nor a program {self.system_names[0]!r} is there"
        if found is not None:
            version = self.version_of(Path(found))
            if _series(version) in (_series(self.version), *self.also):
                return Program(Path(found), version, pinned=False)
            why = f"the package {self.package} is not there, and {found} is version {version}"
        raise EnvironmentNotReady(f"there is no {self.title} {self.version}", why=why, next_step=self.how_to_get)

    def version_of(self, program: Path) -> str:
        """The version that a program says it is.

        Raises:
            EnvironmentNotReady: it cannot be run, or does not say.
        """
        try:
            done = subprocess.run(
                [program, *self.version_words], capture_output=True, text=True, timeout=_VERSION_WITHIN_S, check=True
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise EnvironmentNotReady(f"{program} does not run", why=str(error), next_step="make install") from error
        # The first number of three parts: what it was built with stands behind it. nginx says it on stderr.
        if (found := _VERSION.search(done.stdout + done.stderr)) is None:
            raise EnvironmentNotReady(f"{program} does not say its version", next_step="make install")
        return found[0]

    def files(self, site: Site, routing: Routing) -> dict[str, bytes]:
        """Everything that it reads, by the name in `site.folder`; the same bytes for the same arguments."""
        return {self.config_file: self.written(site, routing)}

    def written(self, site: Site, routing: Routing, **more: object) -> bytes:
        """Its one file, from its template; `more`: what that one asks for beside these words."""
        spec, balancing = site.spec, routing.balancing
        words: dict[str, object] = {
            "site": site, "http": site.http, "limits": spec.limits, "run": spec.run,
            "affinity": spec.architecture.affinity, "keeps": balancing.affinity, "members": routing.members,
            "retries": retries_of(site, balancing), "variant": self.variant.name, "shipped": self.variant.as_shipped,
            "node_cookie": affinity_cookie(spec), "ring_cookie": ring_cookie(spec),
        }  # fmt: skip
        return _templates().get_template(f"{self.config_file}.j2").render(words | more).encode()

    def follows(self, admin_url: str, routing: Routing) -> bool:
        """Whether what runs was told that; True where it cannot tell. Asked after a reload, which may go unheard."""
        return True

    def self_report(self, admin_url: str) -> SelfReport:
        """Ask it how it is, and which start of it this is."""
        return SelfReport.by(admin_url, self.start_page, lambda: self.started(admin_url))

    @abstractmethod
    def started(self, admin_url: str) -> tuple[str | None, str]:
        """Which start of it this is (None: it does not say), and the same in words.

        Raises:
            Unanswered, msgspec.DecodeError: it did not answer, or not as it should.
        """

    def members_health(self, admin_url: str) -> dict[str, MemberHealth] | None:
        """Each member that it knows, by address (host:port); None: it cannot tell.

        Raises:
            Unanswered, msgspec.DecodeError: it did not say.
        """
        return None

    def balancing(self, admin_url: str) -> Balancing | None:
        """How it says that it routes, retries as a number; None: it does not say, or not yet.

        Raises:
            Unanswered, msgspec.DecodeError: it did not say.
        """
        return None

    @abstractmethod
    def made(self, header: Callable[[str], str]) -> bool:
        """Whether it made an answer itself that lacks the run's id, by its headers (of no value: "")."""

    def record(self, line: bytes, nodes: Mapping[str, str]) -> AccessLine | None:
        """A line of its own log as our record; None: the line is about no request. `nodes`: their names, by address.

        Raises:
            msgspec.DecodeError: the line is damaged.
        """
        raise NotImplementedError(f"{self.name} has a log of its own and does not say how it is read")

    def came_from_node(self, line: AccessLine) -> bool:
        """Whether a node gave that answer, by this log alone: for applications whose answers do not name their node.

        If the log says no more than a status, 502, 503 and 504 are taken for the balancer's own, whoever said them.
        """
        return bool(line.node and line.status) and line.status not in _MADE_HERE


@cache
def _templates() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # costs 0.05 s: most commands start no balancer

    found = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,  # a misspelt name is an error, and no empty place in the file
        trim_blocks=True,  # a line that has only a block is none; where one ends a line, +%} keeps the line's end
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters["ms"] = milliseconds
    return found


def rendered(template: str, **words: object) -> bytes:
    """A program's file, from the template of that name in this room."""
    return _templates().get_template(template).render(**words).encode()


def _series(version: str) -> str:
    return ".".join(version.split(".")[:2])


def affinity_cookie(spec: ClusterSpec) -> str:
    """The cookie that leads a shopper back to a node; each cluster its own, since cookies ignore ports."""
    return f"twinshop-node-{spec.architecture.name}-{spec.run}"


def ring_cookie(spec: ClusterSpec) -> str:
    """The cookie that a ring is turned by: it names no node, but always leads to the same place on the ring."""
    return f"twinshop-ring-{spec.architecture.name}-{spec.run}"


def milliseconds(seconds: float) -> str:
    """A time as most of their languages write it: "500ms"."""
    return f"{seconds * 1000:.0f}ms"


def retries_of(site: Site, balancing: Balancing) -> int:
    """How often a request that failed is to be sent again."""
    return site.spec.limits.balancer_retries if balancing.retries is None else balancing.retries
