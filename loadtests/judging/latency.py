"""How long shoppers waited, how long they were without service, and whether the load generator kept them waiting."""

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from itertools import accumulate

from loadtests.model.history import NOT_ASKED, SLOW_ON_PURPOSE, Do, Exchange
from loadtests.model.plan import ClientLimits
from loadtests.model.results import Latency, Percentiles, Waited

_NO_SERVICE: frozenset[Do] = NOT_ASKED | {"watch"}
"""A stream that is open beside everything else, and what is not asked of the shop at all."""
BARS_US = tuple(round(10 ** (n / 10)) for n in range(191))
"""Where the bars of a distribution end: ten for each factor of ten in time, each 26 % longer than the one before;
up to the longest wait that the times of a history can make."""
COUNTED_AT_ONCE = 100_000
"""Waits that are kept until they are counted."""


def percentiles_of(counted: Mapping[int, int]) -> Percentiles:
    """Nearest rank: the smallest wait that at least p % of all waits do not exceed. Of nothing: zeros.

    Args:
        counted: how many waits there were of each length, in µs.
    """
    ordered = sorted(counted)
    if not ordered:
        return Percentiles(0, 0.0, 0.0, 0.0, 0.0)
    up_to = list(accumulate(counted[wait_us] for wait_us in ordered))
    # Rounded up (the floor of what is negative is a ceiling), and in whole numbers, as no float is 0.95 exactly.
    ranks = (-(-up_to[-1] * p // 1000) for p in (500, 950, 990, 999))
    p50, p95, p99, p99_9 = (ordered[bisect_left(up_to, rank)] / 1000 for rank in ranks)
    return Percentiles(up_to[-1], p50, p95, p99, ordered[-1] / 1000, p99_9, _distribution(ordered, up_to))


def _distribution(ordered_us: Sequence[int], up_to: Sequence[int]) -> tuple[Waited, ...]:
    """Sorted lengths, and how many waits were at most as long, in bars."""
    bars = []
    begin = 0
    while begin < len(ordered_us):
        end_us = BARS_US[bisect_left(BARS_US, ordered_us[begin])]
        end = bisect_right(ordered_us, end_us)
        bars.append(Waited(end_us / 1000, up_to[end - 1] - (up_to[begin - 1] if begin else 0)))
        begin = end
    return tuple(bars)


class WaitCounter:
    """Planned actions that got an answer, whichever: from their sending, and from their planned start.

    But for those that are slow on purpose. A wait is a whole number of µs, so that few of many are of different
    lengths: to count each length takes less room than to keep them all, and nothing needs sorting but the lengths.
    """

    def __init__(self) -> None:
        self._raw, self._from_plan = array("q"), array("q")
        """Not yet counted."""
        self._counts: tuple[Counter[int], Counter[int]] = Counter(), Counter()

    def add(self, *exchanges: Exchange) -> None:
        """Count some exchanges."""
        answered = [each for each in exchanges if each.why == "plan" and each.status and each.do not in SLOW_ON_PURPOSE]
        self._raw.extend([each.done_us - each.sent_us for each in answered])
        self._from_plan.extend([each.done_us - each.planned_us for each in answered])
        if len(self._raw) >= COUNTED_AT_ONCE:
            self._count()

    def _count(self) -> None:
        """NumPy counts many in a sixth of the time of one by one; to load it would take longer than to count a few."""
        import numpy as np

        for counts, waits_us in zip(self._counts, (self._raw, self._from_plan), strict=True):
            lengths, times = np.unique(np.frombuffer(waits_us, np.int64), return_counts=True)
            counts.update(dict(zip(lengths.tolist(), times.tolist(), strict=True)))
        self._raw, self._from_plan = array("q"), array("q")

    def close(self) -> Latency:
        """The distributions, in ms."""
        raw, from_plan = self._counts
        raw.update(self._raw)
        from_plan.update(self._from_plan)
        return Latency(percentiles_of(raw), percentiles_of(from_plan))


class WithoutService:
    """Seconds without service, summed over shoppers.

    A shopper is without service from the sending of the first planned action that was not ok (from its planned start,
    if it could not be sent) to the answer of the next one that was, or to the end of the window. No moment counts
    twice: what was planned before the last answer counts from that answer. Only what was asked with the shopper's own
    cookies counts, and only of the shop.
    """

    def __init__(self, window_us: int) -> None:
        self._window_us = window_us
        self._since: dict[int, int] = {}
        self._counted_until: dict[int, int] = {}
        self._total_us = 0

    def add(self, *exchanges: Exchange) -> None:
        """Count some exchanges, in order."""
        since = self._since
        for exchange in exchanges:
            if exchange.outcome != "ok" or exchange.shopper in since:  # hardly ever: something begins or ends
                self._consider(exchange)

    def _consider(self, exchange: Exchange) -> None:
        if exchange.why != "plan" or exchange.jar != "main" or exchange.do in _NO_SERVICE:
            return
        if exchange.outcome != "ok":
            began_us = exchange.sent_us if exchange.request else exchange.planned_us
            self._since.setdefault(exchange.shopper, max(began_us, self._counted_until.get(exchange.shopper, 0)))
        elif (since_us := self._since.pop(exchange.shopper, None)) is not None:
            self._total_us += exchange.done_us - since_us
            self._counted_until[exchange.shopper] = exchange.done_us

    def close(self) -> float:
        """The sum, in seconds."""
        left = sum(max(0, self._window_us - since_us) for since_us in self._since.values())
        return round((self._total_us + left) / 1e6, 3)


LATE = "late"
"""Why an action was not sent, in the history."""
STOPPED = "stopped"
"""The same: the load was ended before the shopper came to it."""
SLOW_US = 50_000
"""Answers that came sooner than this keep nobody."""
REMEMBERED = 64
"""So many slow answers of each shopper are remembered; more cannot lie between an action's time and its end."""


class GeneratorLag:
    """`add` all exchanges, in order; `late` are those that nobody but the load generator can answer for.

    Whoever waits for an answer is late with whatever was due meanwhile. Only what waiting does not explain is the load
    generator's doing, and means that the load was not the planned one.
    """

    def __init__(self, limits: ClientLimits) -> None:
        self.late = 0
        self._late_us = limits.late_ms * 1000
        self._waits: defaultdict[int, deque[tuple[int, int]]] = defaultdict(lambda: deque(maxlen=REMEMBERED))

    def add(self, *exchanges: Exchange) -> None:
        """Take in some exchanges."""
        for exchange in exchanges:
            if exchange.sent_us < 0 or exchange.done_us - exchange.sent_us >= SLOW_US:
                self._consider(exchange)

    def _consider(self, exchange: Exchange) -> None:
        if exchange.sent_us >= 0:
            if exchange.do != "watch":
                self._waits[exchange.shopper].append((exchange.sent_us, exchange.done_us))
        elif exchange.error == STOPPED or (exchange.error == LATE and self._idle_us(exchange) > self._late_us):
            self.late += 1

    def _idle_us(self, exchange: Exchange) -> int:
        """How long the shopper was not waiting for anything, from when it was due until it was given up."""
        idle_us, since_us = 0, exchange.planned_us
        for sent_us, done_us in sorted(self._waits[exchange.shopper]):
            idle_us += max(0, sent_us - since_us)
            since_us = max(since_us, done_us)
        return idle_us + exchange.done_us - since_us
