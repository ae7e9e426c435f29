"""Apache httpd: a parent and its children, which read one file, and are told by SIGUSR1 to read it anew (graceful).

Debian's package is the only one there is: its modules are loaded from where it puts them. What it has learnt of its
members lies in memory that a graceful restart keeps.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

import msgspec

from compose.balancers.access_log import FormattedLine, RawLine, known, made_here
from compose.balancers.contract import (
    AS_SHIPPED,
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
)
from compose.cluster import Balancing
from compose.probes import PROBE_S, HttpAnswer, Unanswered, ask

CONFIG_FILE = "httpd.conf"
MODULE_FOLDERS = ("/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/libexec/apache2")
_MODULES = (
    "mpm_event", "authz_core", "headers", "env", "setenvif", "log_config", "unixd", "watchdog", "remoteip", "alias",
    "proxy", "proxy_http", "slotmem_shm", "proxy_balancer", "lbmethod_byrequests", "lbmethod_bybusyness",
    "proxy_hcheck", "status",
)  # fmt: skip
_GENERATION = re.compile(r"^ParentServerConfigGeneration: (\d+)", re.MULTILINE)
_METHODS = {"least-request": "bybusyness"}
_NAMESPACE = "{http://httpd.apache.org}"
_OUT = ("Err", "Dis", "Stop", "HcFl", "Spar", "Stby", "Ign", "Drn")  # its words for: no newcomers are sent there


class Apache(Balancer):
    """Apache httpd 2.4, from the system."""

    name, title, version, package = "apache", "Apache httpd", "2.4.71", "apache2-bin"
    system_names, version_words = ("apache2", "httpd"), ("-v",)
    own_log = "access.apache.log"
    reload_signal = "SIGUSR1"  # graceful; at SIGHUP it would cut its children's requests off
    start_page = "/server-status"
    sources = (
        "https://httpd.apache.org/docs/2.4/mod/mod_proxy_balancer.html#example",
        "https://httpd.apache.org/docs/2.4/mod/mod_proxy_hcheck.html",
        "https://httpd.apache.org/docs/2.4/mod/mod_proxy.html#proxypass",
        "https://httpd.apache.org/docs/2.4/stopping.html#graceful",
    )
    can = BalancerCapabilities(
        affinities=frozenset({"round-robin", "least-request", "weighted", "cookie"}),
        log_fields=frozenset(RawLine.__struct_fields__) - {"details"},
        drain=True,
        live_affinity=True,
        reloads=True,
        live_retries=True,
        tells_health=True,
        tells_routing=True,
        cannot=(
            "A change of members starts new children: idle connections of shoppers are closed.",
            "It sends a request to another node only where the first could not be reached; what a node has answered, "
            "with whatever status, is the answer.",
            "No hash, and no affinity by address.",
        ),
    )

    @property
    def how_to_get(self) -> str:
        """The one command that brings its program."""
        return "sudo apt-get install apache2-bin"

    def packaged(self) -> Path:
        """There is no package of Python's with it."""
        raise ImportError("there is no wheel of Apache httpd")

    def words(self, site: Site) -> list[str]:
        """With a name for this start of it, which it says at its admin address."""
        modules = next((one for one in MODULE_FOLDERS if Path(one).is_dir()), MODULE_FOLDERS[0])
        # Not in its file, which is the same bytes for the same arguments.
        defined = (f"Define TWINSHOP_START {secrets.token_hex(6)}", f"Define TWINSHOP_MODULES {modules}")
        words = ["-f", str(site.folder / CONFIG_FILE), "-DFOREGROUND", *(f"-C{one}" for one in defined)]
        return [*words, "-DTWINSHOP_ROOT"] if os.geteuid() == 0 else words

    def files(self, site: Site, routing: Routing) -> dict[str, bytes]:
        """Its one file."""
        blocks = (_server(site), _log(site), _balancer(site, routing, self.variant), _hosts(site, routing))
        return {CONFIG_FILE: "\n".join(blocks).encode()}

    def started(self, admin_url: str) -> tuple[str | None, str]:
        """By the name of this start, and by how often it has read its file since."""
        answer = ask(f"{admin_url}/server-status?auto", within_s=PROBE_S)
        read = _GENERATION.search(answer.body.decode(errors="replace"))
        boot = f"{answer.headers.get('x-start')}, read {read[1]} times" if read else None
        return boot, f"start {boot}"

    def members_health(self, admin_url: str) -> dict[str, MemberHealth]:
        """By the status words of its balancer-manager ("Init Ok", "Init HcFl", "Init Drn Ok")."""
        return {urlsplit(name).netloc: _health(status) for name, status in _workers(_manager(admin_url).body)}

    def balancing(self, admin_url: str) -> Balancing | None:
        """By the mark in the file that its children follow."""
        affinity, _, retries = _manager(admin_url).headers.get("x-routing", "").partition(" ")
        return Balancing(affinity == "True", int(retries)) if retries else None

    def made(self, header: Callable[[str], str]) -> bool:
        """A node's answers have the run's id; what it refused before it chose a host has its name only."""
        return header("Server").startswith("Apache")

    def record(self, line: bytes, nodes: Mapping[str, str]) -> RawLine | None:
        """A line of its log; what it escapes for terminals is no JSON."""
        said = _decoder.decode(line.replace(rb"\x", rb"\\x"))
        answered_by = known(said.answered_by)
        node = known(said.node)
        flags = made_here(said.status, node, answered_by)
        return RawLine(
            int(said.at), said.status, said.took, known(said.id), said.method, said.path, flags, node, answered_by
        )


class _Logged(FormattedLine):
    at: str
    took: int
    node: str


_decoder = msgspec.json.Decoder(_Logged)


def _manager(admin_url: str) -> HttpAnswer:
    # It heeds no question, not even for another format, that does not seem to come from its own page.
    page = f"{admin_url}/balancer-manager"
    return ask(f"{page}?xml=1", headers={"Referer": page}, within_s=PROBE_S)


def _workers(body: bytes) -> list[tuple[str, str]]:
    try:
        document = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise Unanswered(f"balancer-manager: {error}") from error
    workers = document.iter(f"{_NAMESPACE}worker")
    return [
        (worker.findtext(f"{_NAMESPACE}name", ""), worker.findtext(f"{_NAMESPACE}status", "").strip())
        for worker in workers
    ]


def _health(status: str) -> MemberHealth:
    out = tuple("draining" if word == "Drn" else word for word in status.split() if word in _OUT)
    return MemberHealth(out, status)


def _server(site: Site) -> str:
    # Some are built in, and which differs from system to system.
    loads = [
        f"<IfModule !{name}_module>\n  LoadModule {name}_module ${{TWINSHOP_MODULES}}/mod_{name}.so\n</IfModule>"
        for name in _MODULES
    ]
    # As root it gives its children away to somebody else, as everybody else it cannot.
    who = ["<IfDefine TWINSHOP_ROOT>", "  User nobody", "  Group nogroup", "</IfDefine>"]
    return "\n".join(
        [
            f"ServerRoot {site.folder}", "ServerName 127.0.0.1", f"PidFile {site.folder}/httpd.pid",
            f"DefaultRuntimeDir {site.folder}", "Mutex sem", *loads, *who,
            f"Listen {site.listen.host}:{site.listen.port}", f"Listen {site.admin.host}:{site.admin.port}",
            "ErrorLog /dev/stderr", "LogLevel warn", "KeepAliveTimeout 65", "MaxKeepAliveRequests 0",
            # One child: what it learns of a dead node is known at once, and its turns are exact.
            "ServerLimit 4", "StartServers 1", "ThreadLimit 128", "ThreadsPerChild 128",
            "MaxRequestWorkers 512", "MinSpareThreads 1", "MaxSpareThreads 512", "GracefulShutdownTimeout 5",
            # Shoppers come through one machine, and say in this header from where.
            "RemoteIPHeader X-Forwarded-For", "RemoteIPInternalProxy 127.0.0.1", "ProxyPreserveHost On",
            "ProxyAddHeaders Off",  # it would add one more address to that header
        ]
    )  # fmt: skip


def _log(site: Site) -> str:
    fields = (
        r"{\"at\":\"%{begin:usec}t\",\"took\":%D,\"status\":%>s,\"id\":\"%{X-Request-Id}i\",\"method\":\"%m\","
        r"\"path\":\"%U%q\",\"node\":\"%{BALANCER_WORKER_ROUTE}e\",\"answered_by\":\"%{NODE}o\"}"
    ).replace("NODE", site.http.node_header or "X-Node")
    return f'LogFormat "{fields}" record'


def _balancer(site: Site, routing: Routing, variant: Variant) -> str:
    kind = site.spec.architecture.affinity
    retries = retries_of(site, routing.balancing)
    lines = ["<Proxy balancer://nodes>", *(f"  {_member(member, site, variant)}" for member in routing.members)]
    if kind == "cookie" and routing.balancing.affinity:
        lines.append(f"  ProxySet stickysession={affinity_cookie(site.spec)}")
    if retries:
        lines.append(f"  ProxySet maxattempts={retries}")  # other members that are tried, the first one not counted
    elif not variant.as_shipped:
        # Of its own accord it goes on to every other member. There is no number for none: it is tried at one member.
        lines.append("  ProxySet maxattempts=0")
    return "\n".join([*lines, "</Proxy>"])


def _member(member: Member, site: Site, variant: Variant) -> str:
    limits = site.spec.limits
    words = [f"BalancerMember {member.address.url}", f"route={member.node}"]
    if member.weight != 1:
        words.append(f"loadfactor={member.weight}")
    if member.draining:
        words.append("status=+N")
    if not variant.as_shipped:
        # The last two know whole seconds only.
        words += [
            "hcmethod=GET", f"hcuri={site.http.health}", f"hcinterval={milliseconds(limits.health_interval_s)}",
            f"hcfails={limits.unhealthy_after}", "hcpasses=1",
            f"connectiontimeout={milliseconds(limits.balancer_connect_timeout_s)}",
            f"timeout={max(1, round(limits.balancer_route_timeout_s))}",
            f"ttl={max(1, round(limits.balancer_upstream_idle_s))}",
        ]  # fmt: skip
    return " ".join(words)


def _hosts(site: Site, routing: Routing) -> str:
    http, spec = site.http, site.spec
    lines = [f"<VirtualHost {site.listen.host}:{site.listen.port}>", f"  CustomLog {site.access_log} record"]
    if http.run_header:
        # The expression, because `always` has a table of its own, in which a node's headers are not.
        lines.append(f'  Header always setifempty {http.run_header} {spec.run} "expr=-z %{{resp:{http.run_header}}}"')
    if spec.architecture.affinity == "cookie" and routing.balancing.affinity:
        cookie = f"{affinity_cookie(spec)}=.%{{BALANCER_WORKER_ROUTE}}e; path=/; HttpOnly; SameSite=Lax"
        lines.append(f'  Header add Set-Cookie "{cookie}" env=BALANCER_ROUTE_CHANGED')
    if http.private:
        lines += [f"  RedirectMatch 404 ^{http.private}", f"  ProxyPass {http.private} !"]
    told = f"{routing.balancing.affinity} {retries_of(site, routing.balancing)}"
    lines += [
        # The method stands here: a virtual host does not take it over from the `Proxy` section, as it does the rest.
        f"  ProxyPass / balancer://nodes/ lbmethod={_METHODS.get(spec.architecture.affinity, 'byrequests')}",
        "</VirtualHost>",
        f"<VirtualHost {site.admin.host}:{site.admin.port}>",
        "  Header always set X-Start ${TWINSHOP_START}",
        f'  Header always set X-Routing "{told}"',
        "  <Location /balancer-manager>",
        "    SetHandler balancer-manager",
        "  </Location>",
        "  <Location /server-status>",
        "    SetHandler server-status",
        "  </Location>",
        "</VirtualHost>",
        "",
    ]
    return "\n".join(lines)


BALANCER = Apache()
VARIANTS = (Apache(AS_SHIPPED),)
