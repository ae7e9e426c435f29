"""Asks a session store, its replica or its sentinel as an operator would: past nodes and wires."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from compose.engines.contract import Cluster
from loadtests.faults.contract import Evidence, Fault, Target

if TYPE_CHECKING:
    from redis import Redis

T = TypeVar("T")
ANSWERS_WITHIN_S = 3.0


class StoreConnection(NamedTuple):
    """A client of one connection, and the errors of its library."""

    server: Redis
    errors: type[Exception]


def connection(cluster: Cluster, part: str, password: str = "") -> StoreConnection:
    """A new one to that part; made when it is first asked."""
    import redis  # late: it must not be imported before Locust, whose process reads the faults' names too
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    server = redis.Redis.from_url(
        cluster.address(part),
        password=password or None,
        socket_timeout=ANSWERS_WITHIN_S,
        socket_connect_timeout=ANSWERS_WITHIN_S,
        retry=Retry(NoBackoff(), 0),  # it would try ten times, and tell of a dead store only after many seconds
        max_connections=1,  # kept: a crowded store has room for no second one
    )
    return StoreConnection(server, redis.RedisError)


def ask(cluster: Cluster, part: str, question: Callable[[Any], T], password: str = "") -> T | None:
    """The answer; None, and never an error, if none comes."""
    one = connection(cluster, part, password)
    with suppress(OSError, one.errors), one.server as server:
        return question(server)
    return None


def server_info(cluster: Cluster, part: str, section: str) -> dict[str, Any]:
    """A section of what it says of itself (`INFO`); nothing if it does not answer."""
    return ask(cluster, part, lambda server: dict(server.info(section))) or {}


def end_others(server: Any) -> None:
    """End the connections of all clients but this one."""
    server.client_kill_filter(_type="normal", skipme=True)


class LetsNobodyIn(Fault):
    """Has the store refuse whoever connects anew."""

    strikes = "store"
    refusal: str
    """A part of what it then says."""
    newcomer: str
    """How an evidence calls somebody new: "a new connection"."""

    def observe(self, target: Target) -> Evidence | None:
        # In its own words: that nothing answers could be a dead store's doing.
        said = _refused(target)
        return (f"{self.newcomer}: {said}",) if self.refusal in said else None

    def observe_healed(self, target: Target) -> Evidence | None:
        seen = target.cluster.observe(target.victim)
        return (*seen.evidence, f"{self.newcomer}: answered") if seen.answers and not _refused(target) else None


def _refused(target: Target) -> str:
    """What it says to somebody new who asks for nothing but an answer; "" if it answers."""
    one = connection(target.cluster, target.victim)
    try:
        one.server.ping()
    except (OSError, one.errors) as refusal:
        return str(refusal)
    finally:
        one.server.close()
    return ""
