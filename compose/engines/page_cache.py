"""A cache of pages between people and the balancer: nginx with `proxy_cache`, a part of its own.

As it is often copied (`ignores`), it keeps each page for a second, whatever the shop's headers say of it, and hands it,
with its Set-Cookie, to whoever asks for the same address:
https://github.com/NginxProxyManager/nginx-proxy-manager/issues/4423, https://github.com/nextcloud/server/issues/40863,
https://github.com/engintron/engintron/issues/133. As nginx does it by itself (`obeys`), the same second is only for
what the shop does not forbid: https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_cache_valid.

Of what it answers itself it writes a line, in the form of the balancer's access log: nobody behind it hears of that.
"""

from __future__ import annotations

import os
from pathlib import Path

from compose.balancers.access_log import KEPT_LOG
from compose.balancers.nginx import BALANCER as NGINX
from compose.cluster import CACHE, ClusterSpec, HttpInterface
from compose.probes import PROBE_S, SelfReport, ask
from compose.supervision.ports import Listen
from shared.errors import UsageError

CONFIG_FILE = "nginx.conf"
_STATUS = "/-/cache"
_IGNORED = "Cache-Control Expires Set-Cookie Vary"
_LINE = (
    '{"at_us":"${seconds}${milliseconds}000","status":$status,"id":"$http_x_request_id","method":"$request_method",'
    '"path":"$request_uri","details":"the page cache: $upstream_cache_status"}'
)


def command(folder: Path) -> list[str]:
    """What runs it; `folder` holds its configuration and its pages."""
    return [str(NGINX.program().path), "-p", str(folder), "-c", CONFIG_FILE, "-e", "stderr"]


def configuration(spec: ClusterSpec, http: HttpInterface, listen: Listen, balancer: Listen, folder: Path) -> bytes:
    """The one file that it reads."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    limits, log = spec.limits, folder.parent.parent / KEPT_LOG
    passed = "proxy_pass http://balancer;"
    ignores = f"proxy_ignore_headers {_IGNORED};" if limits.page_cache == "ignores" else ""
    lines = [
        # Its worker would be nobody if we are root, and nobody may write into our folder.
        "user root;" if os.geteuid() == 0 else "",
        "daemon off;",
        "worker_processes 1;",
        f"pid {folder}/nginx.pid;",
        "error_log stderr notice;",
        "events { worker_connections 4096; }",
        "http {",
        r'map $msec $seconds { "~^(?<whole>\d+)\." $whole; }',
        r'map $msec $milliseconds { "~\.(?<part>\d+)$" $part; }',
        "map $upstream_cache_status $by_itself { HIT 1; STALE 1; UPDATING 1; default 0; }",
        f"log_format kept escape=json '{_LINE}';",
        f"access_log {log} kept if=$by_itself;",
        *(f"{kind}_temp_path {folder}/{kind};" for kind in kinds),
        f"proxy_cache_path {folder}/pages levels=1:2 keys_zone=pages:10m max_size=64m;",
        f"upstream balancer {{ server {balancer.host}:{balancer.port} max_fails=0; keepalive 64; }}",
        "proxy_http_version 1.1;",
        'proxy_set_header Connection "";',
        "proxy_set_header Host $http_host;",
        "proxy_next_upstream off;",  # nothing is sent again unseen
        # A second more than the balancer has: who gives up first must be the one whose rule it is.
        f"proxy_read_timeout {limits.balancer_route_timeout_s + 1:g}s;",
        f"server {{ listen {listen.host}:{listen.port};",
        "add_header X-Cache $upstream_cache_status always;",
        f"location = {_STATUS} {{ access_log off; return 200 $pid; }}",
        *(f"location = {path} {{ {passed} proxy_buffering off; proxy_read_timeout 1h; }}" for path in http.streams),
        f"location / {{ {passed} proxy_cache pages; proxy_cache_valid 200 1s; {ignores} }}",
        "} }",
    ]
    return ("\n".join(lines) + "\n").encode()


def self_report(url: str) -> SelfReport:
    """Which process answers there."""

    def look() -> tuple[str, str]:
        said = ask(f"{url}{_STATUS}", within_s=PROBE_S).body.decode(errors="replace")
        return said, f"worker process {said}"

    return SelfReport.by(url, "", look)


def check_no_cache(spec: ClusterSpec, engine: str) -> None:
    """For engines that have none.

    Raises:
        UsageError: the cluster is to have one.
    """
    if spec.limits.page_cache != "none":
        raise UsageError(
            f"the engine {engine} has no {CACHE} in front of the balancer", why="it runs as a process of this machine",
            next_step="choose --engine processes",
        )  # fmt: skip
