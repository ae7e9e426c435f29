"""Actions that were not sent because it was too late for them: was it the load's doing, or the shop's?

Whoever waits for an answer is late with whatever was due meanwhile. Only what waiting does not explain is the load
generator's doing, and means that the load was not the planned one.
"""

from __future__ import annotations

from collections import defaultdict, deque

from loadtests.model.history import Exchange
from loadtests.model.plan import ClientLimits

LATE = "late"
"""Why an action was not sent, in the history."""
STOPPED = "stopped"
"""The same: the load was ended before the shopper came to it."""
SLOW_US = 50_000
"""Answers that came sooner than this keep nobody."""
REMEMBERED = 64
"""So many slow answers of each shopper are remembered; more cannot lie between an action's time and its end."""


class Lateness:
    """`add` every exchange, in order; `late` are those that nobody but the load generator can answer for."""

    def __init__(self, limits: ClientLimits) -> None:
        self.late = 0
        self._late_us = limits.late_ms * 1000
        self._waits: defaultdict[int, deque[tuple[int, int]]] = defaultdict(lambda: deque(maxlen=REMEMBERED))

    def add(self, exchange: Exchange) -> None:
        """Take in one exchange."""
        if exchange.sent_us >= 0:
            if exchange.done_us - exchange.sent_us >= SLOW_US and exchange.do != "watch":
                self._waits[exchange.shopper].append((exchange.sent_us, exchange.done_us))
        elif exchange.error == STOPPED or (exchange.error == LATE and self._idle_us(exchange) > self._late_us):
            self.late += 1

    def _idle_us(self, exchange: Exchange) -> int:
        """How long the shopper was not waiting for anything, from when it was due until it was given up."""
        idle_us, since_us = 0, exchange.planned_us
        for sent_us, done_us in sorted(self._waits[exchange.shopper]):
            if done_us > since_us:
                idle_us += max(0, min(sent_us, exchange.done_us) - since_us)
                since_us = done_us
        return idle_us + max(0, exchange.done_us - since_us)
