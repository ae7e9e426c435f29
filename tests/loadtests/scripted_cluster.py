"""A cluster in memory: for testing what is done *to* clusters without starting one."""

from __future__ import annotations

import time
from pathlib import Path

from compose.architectures import ARCHITECTURES
from compose.cluster import Cluster, ClusterSpec, NodeAddress, Observation
from shared.database_order import DatabaseOrder
from shared.sessions import HeldSession


class ScriptedCluster(Cluster):
    """Nodes are a dict of boots; a killed node loses what it held."""

    engine = "scripted"
    url = "http://127.0.0.1:0"
    admin_url = "http://127.0.0.1:0"

    def __init__(self, folder: Path, held: dict[str, list[HeldSession]] | None = None) -> None:
        self.spec = ClusterSpec("0123abcd", ARCHITECTURES["sticky-memory"])
        self.folder = folder
        self.boots: dict[str, int | None] = {"n1": 1, "n2": 1, "n3": 1}
        self.holding = held or {}
        self.calls: list[str] = []

    def nodes(self) -> tuple[NodeAddress, ...]:
        return tuple(NodeAddress(name, self.url, None) for name in self.boots)

    def kill(self, node: str) -> None:
        self.calls.append(f"kill {node}")
        self.boots[node] = None
        self.holding.pop(node, None)

    def start(self, node: str) -> None:
        self.calls.append(f"start {node}")
        if self.boots[node] is None:
            self.boots[node] = 2

    def observe(self, node: str) -> Observation:
        boot = self.boots[node]
        up = boot is not None
        return Observation(node, time.monotonic(), up, up, up, str(boot) if up else None, (f"{node}: {boot}",))

    def held(self, node: str) -> list[HeldSession] | None:
        return self.holding.get(node, []) if self.boots[node] is not None else None

    def orders(self) -> list[DatabaseOrder]:
        return []

    def logs(self) -> dict[str, Path]:
        return {f"{node}.requests": self.folder / f"{node}.requests.ndjson" for node in self.boots}

    def stop(self) -> None:
        self.calls.append("stop")
