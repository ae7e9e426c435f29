"""Bounded waits, and what to say when one ends without result."""

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from shared.errors import NotReadyInTime

TAIL_LINES = 32
T = TypeVar("T")


def wait_for(look: Callable[[], T | None], *, until: float, every_s: float = 0.02) -> T | None:
    """What `look` finds, looking again and again until `time.monotonic()` passes `until`; then None.

    It looks at least once.
    """
    while (found := look()) is None:
        if time.monotonic() + every_s > until:  # the next look would be too late already
            return None
        time.sleep(every_s)
    return found


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log; empty if there is none."""
    try:
        with log.open("r", encoding="utf-8", errors="replace") as text:
            return "".join(deque(text, maxlen=lines)).rstrip("\n")
    except OSError:
        return ""


def not_ready(part: str, why: str, log: Path) -> NotReadyInTime:
    """The error for a part of the cluster that did not become ready, with the end of its log."""
    next_step = "read the end of its log below"
    return NotReadyInTime(f"{part} did not become ready", why=why, next_step=next_step, log=log, tail=tail(log))
