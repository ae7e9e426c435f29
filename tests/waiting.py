"""Waiting for a condition or an answer, within a bound: tests never sleep for a time in its place."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from compose import probes


def until(look: Callable[[], object], within_s: float = 30.0) -> bool:
    """Whether it comes true within the bound; it looks at least once."""
    deadline = time.monotonic() + within_s
    while not look():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def ask(url: str, headers: Mapping[str, str] | None = None, within_s: float = 10.0) -> probes.HttpAnswer:
    """GET that URL as probes do, with a test's patience: for an answer on a busy machine, 0.3 s are too short.

    Raises:
        Unanswered: refused, timeout, reset, or not HTTP.
    """
    return probes.ask(url, headers=headers, within_s=within_s)
