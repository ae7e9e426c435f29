"""A cluster in memory: for testing what is done *to* clusters without starting one."""

from __future__ import annotations

import time
from collections import Counter
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import msgspec
import redis

from compose.applications.contract import NodeState
from compose.architectures import ARCHITECTURES
from compose.cluster import (
    DEFAULT_BALANCER,
    OF_A_CANARY,
    Balancing,
    ClusterSpec,
    Limits,
    NodeAddress,
    NodeChanges,
    Observation,
    Reply,
    Wire,
)
from compose.engines.contract import Blow, Cluster
from loadtests.faults.store_full import JUNK
from loadtests.faults.store_password import PASSWORD
from loadtests.faults.store_server import StoreConnection
from shared.demo_accounts import DatabaseOrder
from shared.sessions import HeldSession, Injection

PORT = 6379


class Part(msgspec.Struct):
    """One part of it."""

    boot: int = 1
    alive: bool = True
    frozen: bool = False
    drained: bool = False
    member: bool = True
    role: str = ""
    trouble: Injection = Injection()
    wanted: NodeChanges = NodeChanges()
    """Its settings from its next start on."""
    now: NodeChanges = NodeChanges()
    wire: Wire = Wire()

    @property
    def answers(self) -> bool:
        return self.alive and not self.frozen


class ScriptedCluster(Cluster):
    """Parts are a dict; a part that ends loses what it held."""

    url = shop_url = "http://127.0.0.1:0"
    admin_url = "http://127.0.0.1:0"

    def __init__(
        self, folder: Path, held: dict[str, list[HeldSession]] | None = None, *, architecture: str = "sticky-memory",
        limits: Limits | None = None, balancer: str = DEFAULT_BALANCER,
    ) -> None:  # fmt: skip
        about = ARCHITECTURES[architecture]
        self.spec = ClusterSpec(
            "0123abcd", about, limits=limits or Limits(), wires=about.uses_server, balancer=balancer
        )
        self.folder = folder
        self.holding = held or {}
        self.calls: list[str] = []
        self.routes = Balancing()
        self.there: dict[str, Part] = {name: Part() for name in ("n1", "n2", "n3", "balancer")}
        self.junk = 0
        self.kept = ""
        self.named = "store"
        self.flushes = 0
        self.store_says = ""
        if about.uses_server:
            self.there["store"] = Part(role="master")
        if about.replicas:
            self.there |= {"replica": Part(role="slave"), "sentinel": Part()}

    # what there is

    def nodes(self) -> tuple[NodeAddress, ...]:
        return tuple(NodeAddress(name, self.url, None) for name in self.there if name[1:].isdecimal())

    def parts(self) -> tuple[str, ...]:
        return tuple(self.there)

    def address(self, part: str) -> str:
        return f"redis://{part}:{PORT}"

    # breaking and mending a part

    def strike(self, blow: Blow, part: str) -> None:
        self.calls.append(f"{blow} {part}")
        if blow in ("kill", "terminate"):
            self._end(part)
        else:
            self.there[part].frozen = blow == "freeze"

    def _end(self, part: str) -> None:
        self.there[part].alive = False
        self.there[part].trouble = Injection()
        self.holding.pop(part, None)
        if part == "store":
            self.junk = 0
            self.flushes = 0
            self.store_says = ""
            if "replica" in self.there:
                self.there["replica"].role, self.there["store"].role = "master", "slave"

    def start(self, part: str) -> None:
        self.calls.append(f"start {part}")
        one = self.there[part]
        if not one.alive:
            one.alive, one.boot, one.now = True, one.boot + 1, one.wanted

    def observe(self, part: str) -> Observation:
        one = self.there[part]
        routed = one.answers and one.member and not one.drained
        words = "healthy" if routed else "draining" if one.member else "not a member"
        boot = str(one.boot) if one.answers else None
        evidence = (f"{part}: {boot}", "status=ok" if part == "sentinel" else f"envoy: {words}")
        return Observation(part, time.monotonic(), one.alive, one.answers, routed, boot, evidence)

    def probe(self, node: str) -> Reply:
        one = self.there[node]
        status = 0 if not one.answers else 200 if one.trouble.errors == "none" else 500
        return Reply(status == 200, 1.0 + one.trouble.delay_ms, f"GET /products: {status}", status)

    def state(self, node: str) -> NodeState | None:
        one = self.there[node]
        if not one.answers:
            return None
        clock_us = time.time_ns() // 1000 + one.trouble.clock_ahead_s * 1_000_000
        pids = tuple(range(100, 100 + self.spec.limits.node_workers))
        key = None if self.spec.limits.key_per_process else one.now.key
        return NodeState(str(one.boot), 100, pids, key, one.now.fallback, clock_us, one.trouble, one.now.session_format)

    # changing how it behaves

    def change(self, node: str, changes: NodeChanges) -> None:
        self.there[node].wanted = changes

    def trouble(self, node: str, trouble: Injection) -> None:
        self.calls.append(f"trouble {node}")
        self.there[node].trouble = trouble
        if trouble.dies_before_saving:
            self.kill(node)
        if trouble.session_cap:
            self.holding[node] = self.holding.get(node, [])[: trouble.session_cap]

    def drain(self, node: str) -> None:
        self.calls.append(f"drain {node}")
        self.there[node].drained = True

    def undrain(self, node: str) -> None:
        self.calls.append(f"undrain {node}")
        self.there[node].drained = False

    def add_node(self) -> str:
        name = f"n{len(self.nodes()) + 1}"
        self.calls.append(f"add {name}")
        self.there[name] = Part()
        return name

    def remove_node(self, node: str) -> None:
        self.calls.append(f"remove {node}")
        self.there[node].member = False
        self._end(node)

    def balance(self, balancing: Balancing) -> None:
        self.routes = balancing

    def balancing(self) -> Balancing:
        return self.routes

    def ask_strangers(self, times: int) -> Counter[str]:
        names = [node.name for node in self.nodes()]
        shares = [name for name in names for _ in range(1 if name == self.routes.canary else OF_A_CANARY)]
        in_turn = shares if self.routes.canary else names
        return Counter(islice(cycle(in_turn), times))

    def ask_as_shopper(self, request: str) -> dict[str, str]:
        limits = self.spec.limits
        self.kept = self.kept if limits.page_cache == "ignores" and self.kept else request
        lasts = f"; Max-Age={limits.affinity_cookie_s}" if limits.affinity_cookie_s else ""
        return {"x-request-id": f"probe-{self.kept}", "set-cookie": f"twinshop-node-x=n1{lasts}"}

    def reload_balancer(self) -> None:
        self.there["balancer"].boot += 1

    def wire(self, end: str, wire: Wire) -> None:
        self.there[end].wire = wire

    def ask_across(self, end: str) -> Reply:
        wire, store = self.there[end].wire, self.there["store"]
        ok = store.answers and not wire.cut
        took_ms = 0.1 + wire.delay_ms + self.spec.limits.store_distance_ms
        return Reply(ok, took_ms, f"PING from {end}: {'PONG' if ok else 'no answer'} after {took_ms:.0f} ms")

    # evidence

    def held(self, node: str) -> list[HeldSession] | None:
        return self.holding.get(node, []) if self.there[node].answers else None

    def orders(self) -> list[DatabaseOrder]:
        return []

    def logs(self) -> dict[str, Path]:
        return {f"{node.name}.requests": self.folder / f"{node.name}.requests.ndjson" for node in self.nodes()}

    def stop(self) -> None:
        self.calls.append("stop")


class ScriptedServer:
    """Stands in for a client of a store, its replica or its sentinel: what faults ask of them, and no more."""

    def __init__(self, cluster: ScriptedCluster, name: str) -> None:
        self._cluster = cluster
        self._name = name
        self._part = cluster.there[name]

    def __enter__(self) -> ScriptedServer:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def close(self) -> None:
        pass

    def ping(self) -> None:
        if self._cluster.store_says:
            raise ConnectionError(self._cluster.store_says)

    def info(self, section: str) -> dict[str, Any]:
        if not self._part.answers:
            raise ConnectionError
        told = {"replication": {"role": self._part.role}, "stats": {"evicted_keys": 0}}
        return told.get(section, {"cmdstat_flushall": {"calls": self._cluster.flushes}})

    def sentinel_failover(self, _: str) -> None:
        self._cluster.there["replica"].role, self._cluster.named = "master", "replica"

    def sentinel_get_master_addr_by_name(self, _: str) -> tuple[bytes, int]:
        return self._cluster.named.encode(), PORT

    def replicaof(self, *_: object) -> None:
        self._part.role = "slave"

    def client_kill_filter(self, **_: object) -> None:
        pass

    def client_list(self) -> list[dict[str, str]]:
        return [{"name": "n1"}] if self._part.role == "master" else []

    def flushall(self) -> None:
        self._cluster.flushes += 1

    def config_set(self, name: str, value: object) -> None:
        self._cluster.store_says = {1: "max number of clients reached", PASSWORD: "Authentication required."}.get(
            value,  # type: ignore[call-overload]
            "",
        )

    def pipeline(self, *, transaction: bool) -> ScriptedServer:
        return self

    def execute(self, *, raise_on_error: bool) -> list[Exception]:
        return [redis.ResponseError("OOM")]

    def set(self, name: str, _: bytes) -> None:
        if name == f"{JUNK}write" and self._cluster.junk:
            raise redis.ResponseError("OOM")

    def setrange(self, *_: object) -> None:
        self._cluster.junk = 1

    def scan_iter(self, **_: object) -> list[bytes]:
        return [b"junk"] * self._cluster.junk

    def delete(self, *names: object) -> None:
        if names != (f"{JUNK}write",):
            self._cluster.junk = 0


def scripted_connection(cluster: ScriptedCluster, part: str, password: str = "") -> StoreConnection:
    """Stands in for `loadtests.faults.store_server.connection`."""
    return StoreConnection(ScriptedServer(cluster, part), redis.RedisError)  # type: ignore[arg-type]
