"""Ctrl-C, SIGTERM and SIGHUP end a run in order: the first one is heard, the rest wait until everything is gone."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from shared.errors import Interrupted

# SIGHUP is the terminal that was closed; Windows has none.
_SIGNALS = (signal.SIGINT, signal.SIGTERM, *((signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()))


@contextmanager
def interrupts_raise() -> Iterator[None]:
    """Within, the first of these signals raises `Interrupted` in the main thread; later ones are ignored."""

    def first(number: int, _frame: FrameType | None) -> None:
        for other in _SIGNALS:
            signal.signal(other, signal.SIG_IGN)  # so that cleaning up, which is bounded, comes to its end
        raise Interrupted(f"interrupted by {signal.Signals(number).name}", by=number)

    before = {number: signal.signal(number, first) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            # As it was before: this may run inside a program (a test, a campaign) that has handlers of its own.
            signal.signal(number, handler)
