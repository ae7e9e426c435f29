"""What one node counts of its answers, for Prometheus."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter as Counts
from collections.abc import Iterable
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

BOUNDS_US = (1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000)
"""Of the buckets of the histogram; beyond the last one is one more."""


class RequestTally:
    """Counts; safe to use from many threads at once.

    Plain numbers and not the objects of prometheus-client, which cost each request several times as much, and each
    node's start 50 ms: they are made when somebody asks.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counts[tuple[str, str, int]] = Counts()
        self._buckets: dict[str, list[int]] = {}
        self._took_us: Counts[str] = Counts()
        self._outages = 0

    def count(self, method: str, route: str, status: int, took_us: int) -> None:
        """One answer."""
        with self._lock:
            self._requests[method, route, status] += 1
            self._took_us[route] += took_us
            buckets = self._buckets.get(route)
            if buckets is None:
                buckets = self._buckets[route] = [0] * (len(BOUNDS_US) + 1)
            buckets[bisect_left(BOUNDS_US, took_us)] += 1

    def count_outage(self) -> None:
        """One request met a session store that could not be reached."""
        with self._lock:
            self._outages += 1

    def collect(self) -> Iterable[Metric]:
        """All of it, in the words of Prometheus."""
        from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily

        # Copied under the lock and told without it: no answer waits for whoever reads slowly.
        with self._lock:
            requests, took_us, outages = dict(self._requests), dict(self._took_us), self._outages
            buckets = {route: list(counts) for route, counts in self._buckets.items()}
        answered = CounterMetricFamily("twinshop_requests", "Answers.", labels=["method", "route", "status"])
        for (method, route, status), count in requests.items():
            answered.add_metric([method, route, str(status)], count)
        times = HistogramMetricFamily("twinshop_request_seconds", "How long answers took.", labels=["route"])
        for route, counts in buckets.items():
            bounds = [*(f"{bound / 1e6:g}" for bound in BOUNDS_US), "+Inf"]
            # Summed up: in Prometheus' words a bucket holds all that took no longer than its bound.
            times.add_metric([route], list(zip(bounds, accumulate(counts), strict=True)), took_us[route] / 1e6)
        yield answered
        yield times
        yield CounterMetricFamily("twinshop_store_outages", "Requests that could not reach the store.", outages)
