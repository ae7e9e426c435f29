"""Talks to a session store, or to its replica, as an operator would: past nodes and wires."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from compose.engines.contract import Cluster
from compose.probes import MASTER, ping

if TYPE_CHECKING:
    from redis import Redis

JUNK = "junk:"  # what the keys begin with that a store is filled with
VALUE_BYTES = 4096
OVER_BYTES = 2**19  # more than the buffers of our own connection, which is free again when we have gone
PIECE = 32  # keys are written at once: few enough that a busy store answers within the bound
ANSWERS_WITHIN_S = 3.0
MAX_CLIENTS = 10_000  # as many connections as a store takes that nobody has told otherwise
PASSWORD = "nobody told the nodes"


class StoreServer:
    """One server of the cluster, by the part's name. Whatever it does not answer is None or False, never an error."""

    def __init__(self, cluster: Cluster, part: str) -> None:
        self._address = cluster.address(part)

    def role(self) -> str | None:
        """`master` or `slave`, by its own word."""
        told = self._ask(lambda server: server.info("replication"))
        return None if told is None else str(told.get("role"))

    def fail_over(self) -> None:
        """Of a sentinel: have the replica promoted, though nobody died; the store is then the replica's replica."""
        self._ask(lambda sentinel: sentinel.sentinel_failover(MASTER))

    def primary(self) -> str:
        """Of a sentinel: whom it calls the primary (host:port); "" if it does not say."""
        told = self._ask(lambda sentinel: sentinel.sentinel_get_master_addr_by_name(MASTER))
        return f"{str(told[0], 'ascii')}:{told[1]}" if told else ""

    def follow(self, address: str) -> None:
        """Be the replica of that server, and end the connections of all clients."""
        where = urlsplit(address)

        def obey(server: Redis) -> None:
            server.replicaof(where.hostname or "", where.port or 0)
            # Nodes find the new primary only with a new connection; on an old one they would be refused their writes.
            server.client_kill_filter(_type="normal", skipme=True)

        self._ask(obey)

    def clients(self) -> frozenset[str]:
        """The names that whoever is connected to it has given itself."""
        told = self._ask(lambda server: server.client_list())
        return frozenset(str(client.get("name", "")) for client in told or ())

    def evicted(self) -> int:
        """Keys that it threw out for want of memory since it was started."""
        told = self._ask(lambda server: server.info("stats"))
        return 0 if told is None else int(told.get("evicted_keys", 0))

    def quickest_ms(self, tries: int) -> float | None:
        """The quickest of some answers to PING; None if one did not come."""
        # The quickest: a slow answer may be the machine's, but no quick one comes from a store that is slow.
        replies = [ping(self._address) for _ in range(tries)]
        return min(reply.took_ms for reply in replies) if all(reply.ok for reply in replies) else None

    def fill(self, mb: int) -> None:
        """Write junk: twice what its memory holds, or until it refuses; then some more in one piece."""
        self._ask(lambda server: _fill(server, 2 * mb * 2**20 // VALUE_BYTES))
        # Well over the bound: a store that is full to the byte has room for others once our own buffers are free again.
        self._ask(lambda server: server.setrange(f"{JUNK}last", OVER_BYTES, b"x"))

    def junk(self) -> int:
        """How many keys of junk it holds."""
        return self._ask(lambda server: sum(1 for _ in _junk_keys(server))) or 0

    def clear(self) -> None:
        """Delete the junk."""
        self._ask(_clear)

    def flush(self) -> None:
        """Empty it."""
        self._ask(lambda server: server.flushall())

    def flushes(self) -> int:
        """How often it was emptied since it was started, by its own count."""
        told = self._ask(lambda server: server.info("commandstats"))
        return int((told or {}).get("cmdstat_flushall", {}).get("calls", 0))

    def crowd(self) -> None:
        """Take the only connection that it may have, end all others, and keep it."""
        # Made beforehand and kept: once there is room for one only, whoever comes first has it, perhaps a node.
        kept = _KEPT.get(self._address) or _connection(self._address)
        with suppress(OSError, kept.errors):
            kept.server.config_set("maxclients", 1)
            # Before the others are ended: if that fails, `let_in` must still find the one that may come in.
            _KEPT[self._address] = kept
            kept.server.client_kill_filter(_type="normal", skipme=True)

    def let_in(self) -> None:
        """As many connections as it had by itself."""
        kept = _KEPT.pop(self._address, None) or _connection(self._address)
        with suppress(OSError, kept.errors):
            kept.server.config_set("maxclients", MAX_CLIENTS)
        kept.server.close()

    def lock(self) -> None:
        """Ask everybody for a password, and end the connections of those who had none."""
        self._ask(_lock)

    def unlock(self) -> None:
        """Ask nobody for one."""
        # With the password; of a store that asks for none the question fails, and there is nothing to undo.
        self._ask(lambda server: server.config_set("requirepass", ""), password=PASSWORD)

    def refuses_to_talk(self) -> str:
        """What it says to somebody new who asks for nothing but an answer; "" if it answers."""
        one = _connection(self._address)
        try:
            one.server.ping()
        except (OSError, one.errors) as refusal:
            return str(refusal)
        finally:
            one.server.close()
        return ""

    def refuses(self) -> str:
        """What it says when it refuses a write; "" if it takes it, or does not answer."""
        return self._ask(_refusal) or ""

    def _ask(self, question: Any, password: str = "") -> Any:
        one = _connection(self._address, password)
        with suppress(OSError, one.errors), one.server as server:
            return question(server)
        return None


class StoreConnection(NamedTuple):
    """A client of one connection, and the errors of its library."""

    server: Redis
    errors: type[Exception]


_KEPT: dict[str, StoreConnection] = {}
"""By address: the one connection that a crowded store has; if this process ends, so does it."""


def _connection(address: str, password: str = "") -> StoreConnection:
    import redis  # late: it must not be imported before Locust, whose process reads the faults' names too
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    server = redis.Redis.from_url(
        address,
        password=password or None,
        socket_timeout=ANSWERS_WITHIN_S,
        socket_connect_timeout=ANSWERS_WITHIN_S,
        retry=Retry(NoBackoff(), 0),  # it would try ten times, and tell of a dead store only after many seconds
        max_connections=1,  # made when it is first asked, and kept: a crowded store has room for no second one
    )
    return StoreConnection(server, redis.RedisError)


def _lock(server: Redis) -> None:
    server.config_set("requirepass", PASSWORD)
    # Whoever is connected has been let in, and would never be asked.
    server.client_kill_filter(_type="normal", skipme=True)


def _fill(server: Redis, keys: int) -> None:
    for first in range(0, keys, PIECE):
        with server.pipeline(transaction=False) as pipe:
            for number in range(first, first + PIECE):
                pipe.set(f"{JUNK}{number}", b"x" * VALUE_BYTES)
            # It refuses as soon as it is full where it evicts nothing: that is what was wanted.
            if any(isinstance(answer, Exception) for answer in pipe.execute(raise_on_error=False)):
                return


def _junk_keys(server: Redis) -> Any:
    # In pieces: KEYS would stop the store for everybody while it looks.
    return server.scan_iter(match=f"{JUNK}*", count=1000)


def _clear(server: Redis) -> None:
    keys = list(_junk_keys(server))
    for first in range(0, len(keys), 1000):
        server.delete(*keys[first : first + 1000])


def _refusal(server: Redis) -> str:
    import redis

    try:
        # Of the size of a session or more: a key of few bytes may still find room.
        server.set(f"{JUNK}write", b"x" * VALUE_BYTES)
        server.delete(f"{JUNK}write")
    except redis.ResponseError as refusal:
        return str(refusal)
    return ""
