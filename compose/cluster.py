"""What a cluster is asked to be, under which limits, what can be seen of it and changed about it, as data.

A cluster is a balancer, N nodes, and (where the architecture needs one) a session store; a database holds accounts and
orders. `compose.engines.contract` says what can be done with one.

Times are `time.monotonic()` seconds, which all processes of one machine share. Every wait is bounded by `Limits`.

What can be changed on purpose stands last. Each of these, made without arguments, is how a cluster is by itself:
handing it over undoes the change.
"""

from collections.abc import Iterable
from typing import Annotated, Literal, get_args, get_type_hints

import msgspec

from compose.architectures import Architecture
from compose.description import Description
from shared.errors import UsageError

DEFAULT_BALANCER = "envoy"
BALANCER = "balancer"
STORE = "store"
REPLICA = "replica"  # the store's copy; after a promotion it is the one that is written to
SENTINEL = "sentinel"  # watches the store, and promotes the replica when it dies
CACHE = "cache"  # between people and the balancer: keeps pages
WIRES = "wires"  # carry what ends of the cluster and the session store say to each other; can be slowed, or cut


class Range(msgspec.Struct, frozen=True):
    """What a number may be, beside its field: no scenario may ask for another; what was recorded with one is read."""

    least: float
    most: float
    unit: str
    """Of both; "" for a bare number."""
    why: str
    """What it would be good for beyond them, in words."""

    def __str__(self) -> str:
        return f"{self.least:,.10g} to {self.most:,.10g} {self.unit}".rstrip()


def ranges(kind: type[msgspec.Struct]) -> dict[str, Range]:
    """The ranges of the fields that have one, by their names."""
    found: dict[str, Range] = {}
    for name, annotated in get_type_hints(kind, include_extras=True).items():
        for one in (annotated, *get_args(annotated)):  # of what may be None, too
            found.update((name, each) for each in getattr(one, "__metadata__", ()) if isinstance(each, Range))
    return found


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every bound and setting that can decide an outcome; all of them are printed in the report."""

    cluster_ready_s: Annotated[float, Range(1, 600, "s", "parts take seconds to start")] = 30.0
    """From the first start of a part until every part was seen to be ready."""
    node_ready_s: Annotated[float, Range(1, 600, "s", "a node takes a second to start")] = 15.0
    """From the start of a node until it answers."""
    stop_s: Annotated[float, Range(0.1, 60, "s", "a part that may take no time to end is killed and saves nothing")] = (
        5.0
    )
    """How long a part may take to end by itself; then it is killed."""
    health_interval_s: Annotated[
        float, Range(0.05, 60, "s", "more often, the questions are a load of their own; balancers refuse 0")
    ] = 0.5
    """How often the balancer asks each node for its health."""
    health_timeout_s: Annotated[float, Range(0.05, 60, "s", "in no time, no node is well")] = 0.5
    """How long it waits for an answer to that."""
    unhealthy_after: Annotated[int, Range(1, 100, "questions", "at 0 no node is ever well")] = 2
    """So many health questions in a row unanswered, and it sends the node nobody any more."""
    balancer_connect_timeout_s: Annotated[float, Range(0.05, 60, "s", "in no time, nothing connects")] = 0.5
    """How long the balancer tries to connect to a node."""
    balancer_route_timeout_s: Annotated[
        float, Range(0.1, 600, "s", "every wait has a bound; balancers take 0 for none")
    ] = 5.0
    """How long it waits for a node to answer a request."""
    balancer_upstream_idle_s: Annotated[float, Range(0.1, 70, "s", "a node closes its end after 75 s")] = 10.0
    """After this the balancer closes an idle connection to a node: sooner than the node, or it meets closed ones."""
    balancer_retries: Annotated[int, Range(0, 10, "times", "more than there are nodes to ask help nobody")] = 0
    """How often it sends a request that failed to another node; 0, or it would hide what is measured."""
    node_threads: Annotated[int, Range(1, 128, "threads", "somebody must work")] = 8
    """Requests that one process of a node works on at a time."""
    node_workers: Annotated[int, Range(1, 16, "processes", "somebody must work, and all on one machine")] = 1
    """Processes that serve one node's address. With more than one, each has a memory of its own."""
    deep_health: bool = False
    """A node's health check asks the session store too."""
    slow_page_ms: Annotated[int, Range(0, 60_000, "ms", "nobody waits longer for a page")] = 400
    """How long the shop's slow page (its recommendations) takes."""
    session_lifetime_s: Annotated[int, Range(1, 34_560_000, "s", "browsers keep no cookie for more than 400 days")] = (
        3600
    )
    """How long a session lives after it was last written."""
    access_lifetime_s: Annotated[float, Range(0.1, 86_400, "s", "shorter, each request needs a new one")] = 300.0
    """How long an access token is good; then its refresh token is needed."""
    refresh_grace_s: Annotated[float, Range(0, 3600, "s", "longer, nobody finds a stolen refresh token")] = 0.0
    """So long after its use a refresh token is answered with the same new one; later, it ends the session."""
    session_absolute_s: Annotated[int, Range(0, 34_560_000, "s", "browsers keep no cookie for more than 400 days")] = 0
    """How long a session lives after its login, however much it is used; 0: for as long as it is used."""
    session_cap: Annotated[int, Range(1, 1_000_000, "sessions", "a node that may keep none knows nobody")] = 100_000
    """The most sessions that a node keeps in its memory; beyond it, old ones go."""
    session_refresh_each_request: bool = False
    """Every request writes its session again, as Flask-Session does by default; off: only what changed it."""
    store_timeout_s: Annotated[float, Range(0.01, 60, "s", "in no time, no store answers")] = 1.0
    """How long a node waits for the session store."""
    store_retries: Annotated[int, Range(0, 10, "times", "each may take as long as store_timeout_s")] = 0
    """How often it asks the store again after an error."""
    store_connections: Annotated[int, Range(0, 10_000, "connections", "no server takes more by itself")] = 0
    """The most connections of one node's process to the session store at a time; 0: no bound."""
    store_cache_s: Annotated[
        float, Range(0, 3600, "s", "longer, nobody is ever logged out while the store is away")
    ] = 0.0
    """How long a node may go by the store's last answer about a token while the store is away; 0: not at all."""
    store_append_only: bool = False
    """The session store writes each change to its file, and reads it when it starts."""
    store_memory_mb: Annotated[int, Range(0, 16_384, "MB", "it must fit into the machine")] = 0
    """What the session store may hold; 0: no bound."""
    store_eviction: Literal["noeviction", "allkeys-lru"] = "noeviction"
    """What a full store does: refuse writes, or throw out what was not used for longest."""
    store_min_replicas: Annotated[int, Range(0, 1, "replicas", "no architecture has more than one")] = 0
    """The store refuses writes while fewer replicas than this keep up."""
    store_distance_ms: Annotated[float, Range(0, 10_000, "ms", "farther away there is no store")] = 0.0
    """How far away the store is: added to each of its answers."""
    affinity_cookie_s: Annotated[int, Range(0, 34_560_000, "s", "browsers keep no cookie for more than 400 days")] = 0
    """How long the balancer's cookie that leads to a node lives; 0: as long as the browser."""
    page_cache: Literal["none", "obeys", "ignores"] = "none"
    """Whether a cache between people and the balancer keeps pages, and whether it obeys what the shop says of that."""
    cookie_chunks: bool = False
    """A session that does not fit into one cookie is split over several."""
    key_per_process: bool = False
    """Each process of a node signs with a key of its own, made when it starts, as where nobody has set one."""
    regenerate_at_login: bool = True
    """A new session id at login; without, a planted id becomes the victim's login (session fixation)."""
    cart_lock: bool = False
    """Cart writes of one user wait for each other and begin with a fresh read, so that none undoes another."""
    idempotency_keys: bool = True
    """A checkout whose key was seen before is the same order, not a second one."""
    clock_leeway_s: Annotated[int, Range(0, 86_400, "s", "a clock that is days ahead is no leeway")] = 0
    """How far ahead of the node's own clock a token may have been signed."""
    rate_limit: str = ""
    """Of requests of one user, as Flask-Limiter writes it ("5 per second"); empty: none."""
    rate_limit_counters: Literal["node", "store"] = "node"
    """Where the limiter counts: each node for itself, or all in the session store."""
    login_failures: str = ""
    """Of wrong passwords from one address, as Flask-Limiter writes it ("10 per minute"), on each node; empty: none."""
    password_cost: Annotated[int, Range(2, 65_536, "", "the N of scrypt: beyond, one login takes more than 64 MB")] = (
        1024
    )
    """The N of scrypt; low on purpose: logins must not be what is measured."""


class PublicListener(msgspec.Struct, frozen=True):
    """Where people with browsers reach a cluster, beside its shoppers: what the application serves, no more."""

    host: str
    """The address of this machine to listen on; 0.0.0.0: all of them."""
    port: int
    names: tuple[str, ...]
    """By which browsers may call it, without a port; anything else is a foreign page's trick."""
    title: str = ""
    """What a workshop calls the shop that is reached there, for whoever has two of them open; empty: nothing."""


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
    application: Description | None = None
    """What is under test, if it is none of the twins."""
    balancer: str = DEFAULT_BALANCER
    """Which one: a name in `compose.balancers.BALANCERS`."""
    public: PublicListener | None = None
    """None: only this machine's programs talk to it."""
    guests: dict[str, str] = {}
    """Accounts for people with browsers, each with a password of its own; no shopper uses one."""

    @property
    def node_names(self) -> tuple[str, ...]:
        """The nodes that it begins with."""
        return tuple(f"n{number}" for number in range(1, self.nodes + 1))


def has_wires(spec: ClusterSpec) -> bool:
    """Whether that cluster reaches its session store through wires."""
    return spec.architecture.uses_server and (spec.wires or spec.limits.store_distance_ms > 0)


def wire_ends(spec: ClusterSpec, nodes: Iterable[str]) -> tuple[str, ...]:
    """Who reaches the session store through a wire."""
    if not has_wires(spec):
        return ()
    # Nodes that ask a sentinel where the store is are told its own address, past any wire; so the replica has one.
    return (REPLICA,) if spec.architecture.replicas else tuple(nodes)


def check_distance(spec: ClusterSpec) -> None:
    """Make sure that the store can be as far away as the limits say.

    Raises:
        UsageError: nodes would reach it without a wire, and it would be near.
    """
    if spec.limits.store_distance_ms > 0 and spec.architecture.uses_server and spec.architecture.replicas:
        raise UsageError(
            f"the store of {spec.architecture.name} cannot be {spec.limits.store_distance_ms:g} ms away",
            why="its nodes ask a sentinel where it is, and go there without a wire",
            next_step="choose an architecture without a replica, or omit store_distance_ms",
        )


def other_parts(spec: ClusterSpec) -> tuple[str, ...]:
    """All parts of such a cluster but its nodes."""
    stored = (STORE,) if spec.architecture.uses_server else ()
    copied = (REPLICA, SENTINEL) if stored and spec.architecture.replicas else ()
    cache = () if spec.limits.page_cache == "none" else (CACHE,)
    return (BALANCER, *stored, *copied, *((WIRES,) if has_wires(spec) else ()), *cache)


class HttpInterface(msgspec.Struct, frozen=True):
    """What of an application's HTTP interface its balancer and whoever looks at it have to know."""

    health: str
    """The path of its health check: 200 if it is well."""
    node_header: str = ""
    """The answers' header that names the node; empty: answers do not name it."""
    run_header: str = ""
    """The answers' header that carries the run's id; the balancer sets it in answers of its own."""
    private: str = ""
    """The prefix of paths that are not for shoppers: the balancer answers them 404. Empty: none."""
    host: str = "nodes"
    """Whom the balancer's health checks ask for: frameworks refuse hosts that they do not expect."""
    public: tuple[str, ...] = ()
    """Regular expressions of the whole paths that it serves to people: a public listener answers anything else 404."""
    streams: tuple[str, ...] = ()
    """Paths whose answer takes as long as somebody watches: the balancer must not cut them off."""
    tells_nobody: tuple[str, ...] = ()
    """How paths begin whose answers tell nobody that they are a stranger: what pages ask for by themselves, the way
    in."""


class Usage(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
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
    """A node's health check says that it is well and of this run; the balancer's admin page answers; a store does."""
    in_rotation: bool
    """The balancer calls the node healthy and sends it new shoppers; for other parts the same as `answers`."""
    boot: str | None
    """A new id for each start of the part, by its own word; None if it does not answer."""
    evidence: tuple[str, ...]
    """The same in words, e.g. "connect to 127.0.0.1:41231: refused", "the balancer: out, failed its health check"."""


Key = Literal["own", "next"]
"""Each cluster is started with two signing keys: the one that all nodes use, and the one that they could change to."""
FIRST_FORMAT = "first"  # of sessions, with which every node is started (`shared.shop.session_format.FORMATS`)


class NodeChanges(msgspec.Struct, frozen=True):
    """Settings that a node has from its next start on."""

    key: Key = "own"
    """Signs tokens and forms."""
    fallback: Key | None = None
    """Accepted, not used for signing."""
    session_format: str = FIRST_FORMAT
    """The version of the shop's code, as far as sessions are concerned."""


OF_A_CANARY = 4  # so many newcomers go to each other node for one that goes to the canary


class Balancing(msgspec.Struct, frozen=True):
    """How the running balancer routes."""

    affinity: bool = True
    """False: each request goes to the next node in turn (on a ring: to one by chance), whatever the cookie says."""
    retries: int | None = None
    """Of a request that failed, on another node; None: as it was started."""
    canary: str = ""
    """A node that is sent one newcomer where each of the others is sent `OF_A_CANARY`; "": all are sent as many."""


class Wire(msgspec.Struct, frozen=True):
    """The connection between a part (a node, or the replica) and the session store."""

    delay_ms: float = 0.0
    """Added to each answer's way back."""
    cut: bool = False
    """Nothing comes through, connections stay open, new ones get no answer: as when a cable is cut."""


class Reply(msgspec.Struct, frozen=True):
    """What came of asking a part something."""

    ok: bool
    took_ms: float
    words: str
    """For an evidence: "GET /products: 500 after 3 ms"."""
    status: int = 0
    """The HTTP status, where it was HTTP that was spoken; 0 if no answer came."""
