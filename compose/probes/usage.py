"""What the parts of a cluster use of the machine, and what a session store counts of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

import psutil

from compose.cluster import Usage
from compose.probes.http import Unanswered
from compose.probes.server import ask_server, facts

WITHIN_S = 0.2
COUNTED = {
    "commands": "total_commands_processed",
    "memory": "used_memory",
    "evicted": "evicted_keys",
}
"""Our names, and the server's, of what a store counts."""

Used = tuple[float, int]
"""Processor seconds, and bytes of memory."""


def usage_of(nodes: Iterable[str], stores: dict[str, str], used: Callable[[str], Used | None]) -> dict[str, Usage]:
    """The usage of these nodes, and of these stores by their addresses, as far as `used` can tell."""
    found = {}
    for part in (*nodes, *stores):
        spent = used(part)
        if spent is not None:
            found[part] = Usage(*spent, store_counters(stores[part]) if part in stores else {})
    return found


def store_counters(url: str) -> dict[str, int]:
    """What the store at that address counts of itself; nothing if it does not answer."""
    parts = urlsplit(url)
    try:
        said = facts(ask_server(parts.hostname or "", parts.port or 0, "INFO", within_s=WITHIN_S))
        keys = sum(_keys(value) for name, value in said.items() if name.startswith("db") and name[2:].isdecimal())
        return {ours: int(said[theirs]) for ours, theirs in COUNTED.items()} | {"keys": keys}
    except (Unanswered, KeyError, ValueError):
        return {}


def _keys(keyspace: str) -> int:
    """From `keys=60,expires=60,avg_ttl=…`."""
    return int(dict(pair.split("=") for pair in keyspace.split(","))["keys"])


def used_by_processes(leader: int) -> Used | None:
    """What that process and all that it started use; None if it is gone."""
    try:
        first = psutil.Process(leader)
        cpu_s, memory = 0.0, 0
        for process in (first, *first.children(recursive=True)):
            with process.oneshot():
                times = process.cpu_times()
                cpu_s += times.user + times.system
                memory += process.memory_info().rss
    except psutil.Error:
        return None
    return round(cpu_s, 3), memory
