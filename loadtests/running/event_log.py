"""Writes `events.ndjson` while a run goes on; safe to call from the threads that carry out faults."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from loadtests.model.events import Event

_encode = msgspec.json.Encoder().encode


class EventLog:
    """The events of one architecture.

    Times count from the zero of the load window, which is known only once the cluster is ready: what comes before
    waits in memory until `set_zero`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._zero_ns: int | None = None
        self._waiting: list[tuple[int, Callable[[int], Event]]] = []
        self._lock = threading.Lock()

    def set_zero(self, monotonic_ns: int) -> None:
        """Fix the zero of all times, and write what waited for it."""
        with self._lock:
            self._zero_ns = monotonic_ns
            for moment_ns, make in self._waiting:
                self._append(moment_ns, make)
            self._waiting.clear()

    def write(self, make: Callable[[int], Event]) -> None:
        """Write the event that `make` builds from `at_us`: now, in microseconds since the zero."""
        moment_ns = time.monotonic_ns()  # when it happened, not when another thread let go of the lock
        with self._lock:
            if self._zero_ns is None:
                # A function and not an event: what it says of its time can be written only once the zero is known.
                self._waiting.append((moment_ns, make))
            else:
                self._append(moment_ns, make)

    def close(self) -> None:
        """Write what still waits: a run that ended before its load began gets this moment as its zero."""
        if self._zero_ns is None:
            self.set_zero(time.monotonic_ns())

    def _append(self, moment_ns: int, make: Callable[[int], Event]) -> None:
        assert self._zero_ns is not None
        line = _encode(make((moment_ns - self._zero_ns) // 1000)) + b"\n"
        # Opened for each line: nothing of it is in a buffer when the harness is killed.
        with self._path.open("ab") as events:
            events.write(line)
