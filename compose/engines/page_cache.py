"""A cache of pages between people and the balancer: nginx with `proxy_cache`, a part of its own.

As it is often copied (`ignores`), it keeps each page for a second, whatever the shop's headers say of it, and hands it,
with its Set-Cookie, to whoever asks for the same address:
https://github.com/NginxProxyManager/nginx-proxy-manager/issues/4423, https://github.com/nextcloud/server/issues/40863,
https://github.com/engintron/engintron/issues/133. As nginx does it by itself (`obeys`), the same second is only for
what the shop does not forbid: https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_cache_valid.

Of what it answers itself it writes a line, in the form of the balancer's access log: nobody behind it hears of that.
"""

import os
from pathlib import Path

from compose.balancers.access_log import KEPT_LOG
from compose.balancers.contract import rendered
from compose.balancers.nginx import BALANCER as NGINX
from compose.cluster import CACHE, ClusterSpec, HttpInterface
from compose.probes import PROBE_S, SelfReport, ask
from compose.supervision.ports import Listen
from shared.errors import UsageError

CONFIG_FILE = "nginx.conf"
_STATUS = "/-/cache"


def command(folder: Path) -> list[str]:
    """What runs it; `folder` holds its configuration and its pages."""
    return [str(NGINX.program().path), "-p", str(folder), "-c", CONFIG_FILE, "-e", "stderr"]


def configuration(spec: ClusterSpec, http: HttpInterface, listen: Listen, balancer: Listen, folder: Path) -> bytes:
    """The one file that it reads, from its template beside the balancers'."""
    return rendered(
        "page_cache.conf.j2", limits=spec.limits, http=http, listen=listen, balancer=balancer, folder=folder,
        log=folder.parent.parent / KEPT_LOG, status=_STATUS, root=os.geteuid() == 0,
    )  # fmt: skip


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
