"""Waiting for a condition, within a bound: tests never sleep for a time in its place."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(look: Callable[[], object], within_s: float = 15.0) -> bool:
    """Whether it comes true within the bound; it looks at least once."""
    deadline = time.monotonic() + within_s
    while not look():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
