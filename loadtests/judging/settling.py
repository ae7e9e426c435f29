"""The three logs side by side, in order of time: what all of them agree on is forgotten at once.

`loadtests.judging.reconcile` has the rules, and must know all that three logs say of a request. Nearly always that is
three times the same: shopper, balancer and one node name the same answer. Such a request is dropped as soon as the
third of them is heard, so that no more is kept than what is on its way and what went amiss. What is left in the end
goes to the reconciler. Should it find a mismatch, or should a request stand in a log twice (the first of the two may be
forgotten by then), whoever asked reads the logs once more, and tells a reconciler all that they say of those requests.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable

from compose.access_log import NO_FLAGS, RawLine
from loadtests.history import Exchange
from loadtests.judging.reconcile import HEALTH, PROBE, Reconciler, Told
from shared.request_log import LoggedRequest, LogRecord

SWEEP = 20_000
"""Open requests of shoppers after which it is looked whether a log that came late has settled them."""
MANY = 200_000
"""From so many numbers on, NumPy finds equal ones sooner than Python, although it must be loaded for that first."""


class Settling:
    """Take in the logs, in any order, best side by side; then `close`. Not for a balancer that retries, nor guests."""

    def __init__(self) -> None:
        self._client: dict[str, Told] = {}
        self._balancer: dict[str, Told] = {}
        self._nodes: dict[str, Told] = {}
        self._settled = 0
        self._sent = array("q")
        """A hash of each request that a shopper sent: what stands in all three logs twice would be settled twice."""
        self._doubtful: set[int] = set()
        """Hashes of requests that one of the logs has twice."""
        self._sweep_at = SWEEP

    @property
    def counts(self) -> tuple[int, int, int]:
        """Requests by client, balancer and nodes, if `close` found nothing doubtful."""
        balancer, nodes = (sum(not each.startswith(PROBE) for each in book) for book in (self._balancer, self._nodes))
        return self._settled + len(self._client), self._settled + balancer, self._settled + nodes

    def add_exchanges(self, exchanges: Iterable[Exchange]) -> None:
        """What shoppers sent and were answered."""
        by_balancer, by_node, settled = self._balancer.get, self._nodes.get, 0
        for exchange in exchanges:
            request, told = exchange.request, (exchange.status, exchange.node, False)
            if told == by_node(request) == by_balancer(request):
                del self._balancer[request], self._nodes[request]
                settled += 1
            elif request:
                self._client[request] = told
        self._settled += settled
        self._sent.extend([hash(exchange.request) for exchange in exchanges if exchange.request])
        if len(self._client) > self._sweep_at:
            self._sweep()

    def add_lines(self, lines: Iterable[RawLine]) -> None:
        """What the balancer passed on."""
        asked = [line for line in lines if line.path != HEALTH]
        told = [(line.status or 0, line.answered_by or "", line.flags not in NO_FLAGS) for line in asked]
        self._enter(self._balancer, [line.id or "" for line in asked], told)

    def add_node(self, node: str, records: Iterable[LogRecord]) -> None:
        """What a node was asked."""
        asked = [record for record in records if type(record) is LoggedRequest and record.path != HEALTH]
        self._enter(self._nodes, [record.id for record in asked], [(record.status, node, False) for record in asked])

    def close(self, reconciler: Reconciler, *, compare: bool) -> set[int]:
        """Give the reconciler what is left; hashes of the requests of which it must hear all, from the beginning.

        Without `compare` nobody asks for mismatches, only for counts.
        """
        self._sweep()
        reconciler.take_over(self._client, self._balancer, self._nodes)
        self._doubtful |= _equal_ones(self._sent)
        if compare:
            self._doubtful |= {hash(mismatch.request) for mismatch in reconciler.mismatches()}
        return self._doubtful

    def _enter(self, book: dict[str, Told], requests: list[str], told: list[Told]) -> None:
        again = [request for request in requests if request in book]
        many = len(book) - len(again) + len(requests)
        book.update(zip(requests, told, strict=True))  # all at once: a third of the time of one by one
        if len(book) != many:
            again += [request for request, times in Counter(requests).items() if times > 1]
        self._doubtful.update(hash(request) for request in again if not request.startswith(PROBE))

    def _sweep(self) -> None:
        """Forget what was settled by a log that came later than the shopper's."""
        for request, told in list(self._client.items()):
            if told == self._nodes.get(request) == self._balancer.get(request):
                del self._client[request], self._balancer[request], self._nodes[request]
                self._settled += 1
        self._sweep_at = max(SWEEP, 2 * len(self._client))


def _equal_ones(numbers: array[int]) -> set[int]:
    """Those that are there more than once; the numbers are in order afterwards."""
    if len(numbers) < MANY:
        return {number for number, times in Counter(numbers).items() if times > 1}
    import numpy as np

    ordered = np.frombuffer(numbers, dtype=np.int64)
    ordered.sort()  # where they are: a copy would be as large again
    return set(ordered[1:][ordered[1:] == ordered[:-1]].tolist())
