"""Writes the history and the progress of one load process.

Recording a request is appending one struct to a list; a greenlet encodes them in batches and hands them to the kernel
every quarter of a second. Nothing here calls fsync: it would stop every shopper of the process.
"""

import os
import time
from pathlib import Path

import msgspec

from loadtests.load.worker_config import LoadProgress, Phase
from loadtests.model.history import Exchange, encode_records
from loadtests.session_model.carts import Contradiction


class Recorder:
    """The books of one load process. Without files it only counts."""

    def __init__(self, history: Path | None, progress: Path | None) -> None:
        self._history = _append_to(history)
        self._progress = _append_to(progress)
        self._pending: list[Exchange] = []
        self._outcomes = dict.fromkeys(("ok", "failed", "unknown", "not_sent"), 0)
        self._sent = 0
        self._logged_out: set[int] = set()
        self._carts_lost = 0
        self._zero_ns = 0  # not known yet; nothing is sent before it is
        self.phase: Phase = "waiting"
        self.problem = ""

    def begin(self, zero_ns: int) -> None:
        """The load window begins at that time.monotonic_ns()."""
        self._zero_ns = zero_ns
        self.phase = "load"

    def record(self, exchange: Exchange, findings: tuple[Contradiction, ...] = ()) -> None:
        """Keep one exchange; `findings` are only counted."""
        self._pending.append(exchange)
        for finding in findings:
            self._count(exchange.shopper, finding)

    def flush(self) -> None:
        """Write what is pending."""
        batch, self._pending = self._pending, []
        for exchange in batch:
            self._outcomes[exchange.outcome] += 1
            self._sent += exchange.sent_us >= 0  # -1: nothing was sent
        if batch and self._history is not None:
            _write(self._history, encode_records(batch))

    def tell(self) -> LoadProgress:
        """Write a progress line, and return it."""
        progress = LoadProgress(
            at_us=(time.monotonic_ns() - self._zero_ns) // 1000 if self._zero_ns else 0,
            phase=self.phase,
            sent=self._sent,
            **self._outcomes,
            logged_out=len(self._logged_out),
            carts_lost=self._carts_lost,
            cpu_s=round(time.process_time(), 3),
            problem=self.problem,
        )
        if self._progress is not None:
            _write(self._progress, msgspec.json.encode(progress) + b"\n")
        return progress

    def close(self) -> None:
        """Write what is left, and a last progress line even if that fails. Safe to repeat."""
        try:
            self.flush()
        finally:
            self.tell()
            for descriptor in (self._history, self._progress):
                if descriptor is not None:
                    os.close(descriptor)
            self._history = self._progress = None

    def _count(self, shopper: int, finding: Contradiction) -> None:
        if finding.kind == "logged_out":
            self._logged_out.add(shopper)
        elif finding.kind == "cart_lost":
            self._carts_lost += 1


def _append_to(path: Path | None) -> int | None:
    if path is None:
        return None
    # Without a buffer: what was written outlives this process, however that ends.
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)


def _write(descriptor: int, content: bytes) -> None:
    while content:  # one call may take only some of it, as when the disk fills
        content = content[os.write(descriptor, content) :]
