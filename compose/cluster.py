"""What a cluster is asked to be, under which limits, and what can be seen of it, as data.

A cluster is a balancer, N nodes, and (where the architecture needs one) a session store; a database holds accounts and
orders. `compose.engines.contract` says what can be done with one.

Times are `time.monotonic()` seconds, which all processes of one machine share. Every wait is bounded by `Limits`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from compose.architectures import Architecture


class Limits(msgspec.Struct, frozen=True):
    """Every bound and setting that can decide an outcome; all of them are printed in the report."""

    cluster_ready_s: float = 30.0
    """From the first start of a part until every part was seen to be ready."""
    node_ready_s: float = 15.0
    """From the start of a node until it answers."""
    stop_s: float = 5.0
    """How long a part may take to end by itself; then it is killed."""
    health_interval_s: float = 0.5
    """How often the balancer asks each node for its health."""
    health_timeout_s: float = 0.5
    """How long it waits for an answer to that."""
    unhealthy_after: int = 2
    """So many health questions in a row unanswered, and it sends the node nobody any more."""
    balancer_connect_timeout_s: float = 0.5
    """How long the balancer tries to connect to a node."""
    balancer_route_timeout_s: float = 5.0
    """How long it waits for a node to answer a request."""
    balancer_upstream_idle_s: float = 10.0
    """After this the balancer closes an idle connection to a node: sooner than the node, or it meets closed ones."""
    balancer_retries: int = 0
    """How often it sends a request that failed to another node; 0, or it would hide what is measured."""
    node_threads: int = 8
    """Requests that one process of a node works on at a time."""
    node_workers: int = 1
    """Processes that serve one node's address. With more than one, each has a memory of its own."""
    deep_health: bool = False
    """A node's health check asks the session store too."""
    slow_page_ms: int = 400
    """How long the shop's slow page (its recommendations) takes."""
    session_lifetime_s: int = 3600
    """How long a session lives after it was last written."""
    session_cap: int = 100_000
    """The most sessions that a node keeps in its memory; beyond it, old ones go."""
    session_refresh_each_request: bool = False
    """Every request writes its session again, as Flask-Session does by default; off: only what changed it."""
    store_timeout_s: float = 1.0
    """How long a node waits for the session store."""
    store_retries: int = 0
    """How often it asks the store again after an error."""
    store_append_only: bool = False
    """The session store writes each change to its file, and reads it when it starts."""
    store_memory_mb: int = 0
    """What the session store may hold; 0: no bound."""
    store_eviction: Literal["noeviction", "allkeys-lru"] = "noeviction"
    """What a full store does: refuse writes, or throw out what was not used for longest."""
    store_min_replicas: int = 0
    """The store refuses writes while fewer replicas than this keep up."""
    store_distance_ms: float = 0.0
    """How far away the store is: added to each of its answers."""
    regenerate_at_login: bool = True
    """A new session id at login; without, a planted id becomes the victim's login (session fixation)."""
    cart_lock: bool = False
    """Cart writes of one user wait for each other and begin with a fresh read, so that none undoes another."""
    idempotency_keys: bool = True
    """A checkout whose key was seen before is the same order, not a second one."""
    clock_leeway_s: int = 0
    """How far ahead of the node's own clock a token may have been signed."""
    rate_limit: str = ""
    """Of requests of one user, as Flask-Limiter writes it ("5 per second"); empty: none."""
    rate_limit_counters: Literal["node", "store"] = "node"
    """Where the limiter counts: each node for itself, or all in the session store."""
    password_cost: int = 1024
    """The N of scrypt; low on purpose: logins must not be what is measured."""


class ClusterSpec(msgspec.Struct, frozen=True):
    """Everything needed to start one cluster."""

    run: str
    """The run's id: in every answer (`X-Run`), in every process's environment, in the ledger."""
    architecture: Architecture
    nodes: int = 3
    accounts: int = 60
    """How many demo accounts: user-0001 … ."""
    password: str = "shop"
    limits: Limits = Limits()
    port: int | None = None
    """Where the balancer is to listen; None: on a free port."""
    wires: bool = False
    """Each node reaches the session store through a wire of its own, which can be slowed and cut."""


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one part uses of the machine, and what it counts."""

    cpu_s: float
    """Processor time since it was started, of all its processes."""
    memory_bytes: int
    """Resident, of all its processes."""
    counters: dict[str, int] = {}
    """Of a store: `commands` processed, `memory` it says it uses, keys `evicted`, `keys` it holds."""


class NodeAddress(msgspec.Struct, frozen=True):
    """Where a node listens by itself, past the balancer."""

    name: str
    url: str
    pid: int | None
    """The process group's leader; None where the engine has no processes of its own."""


class Observation(msgspec.Struct, frozen=True):
    """A part as seen from outside of whatever was done to it."""

    part: str
    at: float
    """time.monotonic() when the observation was complete."""
    process: bool
    """A process of the part exists (the engine's own books, asked of the operating system)."""
    answers: bool
    """A node's `/healthz` answers 200 with this run's id; the balancer's admin page does; a store answers PING."""
    in_rotation: bool
    """The balancer calls the node healthy and sends it new shoppers; for other parts the same as `answers`."""
    boot: str | None
    """A new id for each start of the part, by its own word; None if it does not answer."""
    evidence: tuple[str, ...]
    """The same in words, e.g. "connect to 127.0.0.1:41231: refused", "envoy: failed_active_hc"."""
