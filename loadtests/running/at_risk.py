"""Who could lose something when a node is hit: read from the victim, never from the shoppers.

The victim is asked for its sessions just before it is hit. What it opened or ended between that answer and its death is
in its own request log, which is written line by line and so outlives a SIGKILL; together they are what it held.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from pathlib import Path

from compose.engines.contract import Cluster
from shared.request_log import LoggedSession, read_request_log

HOLDS = ("memory", "replicated")
"""Where sessions live in a node; elsewhere its log tells of sessions that it opened and does not hold."""


class Held:
    """What a node held, from its own answer and its own log; `boot` is the start of it that is to be hit."""

    def __init__(self, cluster: Cluster, node: str, boot: str | None, guests: Collection[str] = ()) -> None:
        self._guests = frozenset(guests)
        # Before the question: what was opened while it was answered may be in both, and is counted by its id once.
        self.asked_at_us = time.time_ns() // 1000
        self.answer = cluster.held(node)
        self._boot = boot
        in_memory = cluster.spec.architecture.store in HOLDS
        # Where sessions live elsewhere, what the node wrote of them is no loss of its memory.
        self._log = cluster.logs().get(f"{node}.requests") if in_memory else None

    @property
    def source(self) -> str:
        """How it was read, in words."""
        if self.answer is None:
            return "the node did not say what it held"
        without = f"; without {len(self._everybody() & self._guests)} guests" if self._guests else ""
        return (
            f"the node's own list of {len(self.answer)} sessions just before, and its request log up to its last line"
            f"{without}"
        )

    def users(self) -> tuple[str, ...]:
        """The users whose sessions it held at its last moment, without guests; call it after the node was hit."""
        # Sorted: two runs of one plan shall be comparable line by line, and sets have no order.
        return tuple(sorted(self._everybody() - self._guests))

    def _everybody(self) -> set[str]:
        sessions = {held.session: held.user for held in self.answer or []}
        for line in _changes(self._log, self.asked_at_us, self._boot):
            if line.event == "opened":
                sessions[line.session] = line.user
            else:
                sessions.pop(line.session, None)
        return set(sessions.values())


def _changes(log: Path | None, since_us: int, boot: str | None) -> Iterator[LoggedSession]:
    """Sessions opened and ended since then; what another start of the node says later is not about what was hit."""
    for line in read_request_log(log) if log is not None and log.exists() else ():
        if isinstance(line, LoggedSession) and line.at_us >= since_us and boot in (None, line.boot):
            yield line
