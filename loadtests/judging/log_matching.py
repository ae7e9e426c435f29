"""The three logs side by side, in order of time: what all of them agree on is soon forgotten.

`loadtests.judging.reconcile` has the rules, and must know all that three logs say of a request. Nearly always that is
three times the same: shopper, balancer and one node name the same answer. Such requests are dropped, some thousands at
a time, so that no more is kept than those, what is on its way and what went amiss. What is left in the end goes to the
reconciler. Should it find a mismatch, or should a request stand in a log twice (the first of the two may be
forgotten by then), whoever asked reads the logs once more, and tells a reconciler all that they say of those requests.
"""

from __future__ import annotations

from array import array
from itertools import compress
from typing import NamedTuple

import numpy as np

from compose.balancers.access_log import NO_FLAGS, RawLine
from loadtests.judging.reconcile import HEALTH, PROBE, Reconciler, Told
from loadtests.model.batch import Batch, Kind, Kinds, Marks, Numbered, Numbers
from shared.request_log import LoggedRequest, LogRecord

SWEEP = 4_000
"""Open requests of shoppers after which it is looked which of them all logs agree on."""
_SPREAD = np.int64(0x1E3779B97F4A7C15)
"""Any large odd number: times the number of what was said, it gives each of that a hash far from the others'."""
_NOBODYS = -1
"""In place of what was said of a request that no shopper sent."""


class _LineKind(NamedTuple):
    """What many lines of the balancer's log have in common; each field is one of `RawLine`."""

    status: int | None
    answered_by: str | None
    flags: str | None
    path: str | None


class _RequestKind(NamedTuple):
    """The same of `LoggedRequest`."""

    status: int
    path: str


class _Open:
    """What one log says of requests of which not all logs have said the same yet."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self._hashes = [np.empty(0, np.int64)]
        self._told = [np.empty(0, np.int64)]

    def add(self, requests: list[str], told: Numbers) -> Numbers:
        """More requests, and the numbers of what is said of them; their hashes."""
        hashes = np.fromiter(map(hash, requests), np.int64, len(requests))
        self.requests += requests
        self._hashes.append(hashes)
        self._told.append(told)
        return hashes

    def said(self) -> Numbers:
        """A hash of each request and what is said of it."""
        return np.concatenate(self._hashes) + np.concatenate(self._told) * _SPREAD

    def drop(self, settled: Marks) -> None:
        """Forget the requests that are marked."""
        left = ~settled
        self.requests = list(compress(self.requests, left.tolist()))
        self._hashes = [np.concatenate(self._hashes)[left]]
        self._told = [np.concatenate(self._told)[left]]

    def twice(self) -> set[int]:
        """Hashes of requests that are there more than once; the harness's own questions do not count."""
        hashes = np.concatenate(self._hashes)
        equal = _equal_ones(hashes)
        if not equal:
            return equal
        return {hash(each) for each in self.requests if hash(each) in equal and not each.startswith(PROBE)}

    def by_request(self, told: list[Told]) -> dict[str, Told]:
        """What is said of each; `told`: what the numbers mean."""
        numbers = np.concatenate(self._told).tolist()
        return {request: told[number] for request, number in zip(self.requests, numbers, strict=True)}


class Settling:
    """Take in the logs, in any order, best side by side; then `close`. Not for a balancer that retries, nor guests."""

    def __init__(self) -> None:
        self._told = Numbered()
        """Whatever is said of requests, by any log."""
        self._lines, self._requests = Kinds(_LineKind), Kinds(_RequestKind)
        self._client, self._balancer, self._nodes = _Open(), _Open(), _Open()
        self._settled = 0
        self._sent = array("q")
        """A hash of each request that a shopper sent: what stands in all three logs twice would be settled twice."""
        self._doubtful: set[int] = set()
        """Hashes of requests that one of the logs has twice, or that look like the harness's own and are shoppers'."""
        self._sweep_at = SWEEP

    @property
    def counts(self) -> tuple[int, int, int]:
        """Requests by client, balancer and nodes, if `close` found nothing doubtful."""
        balancer, nodes = (
            sum(not each.startswith(PROBE) for each in log.requests) for log in (self._balancer, self._nodes)
        )
        return self._settled + len(self._client.requests), self._settled + balancer, self._settled + nodes

    def add_exchanges(self, batch: Batch) -> None:
        """What shoppers sent and were answered."""
        asked, told = batch.asked, self._numbers(*batch.labelled(_told_to_shopper))
        requests = [each.request for each in batch.pick(asked)]
        self._sent.frombytes(self._client.add(requests, told[asked]).tobytes())
        self._doubtful.update(hash(each) for each in requests if each.startswith(PROBE))
        if len(self._client.requests) > self._sweep_at:
            self._sweep()

    def add_lines(self, lines: list[RawLine]) -> None:
        """What the balancer passed on."""
        kinds = self._lines.of(lines)
        labels, of_kinds = self._lines.labelled(_told_by_balancer)
        told = self._numbers(labels, of_kinds[kinds])
        asked = told != _NOBODYS
        self._balancer.add([line.id or "" for line in compress(lines, asked.tolist())], told[asked])

    def add_node(self, node: str, records: list[LogRecord]) -> None:
        """What a node was asked."""
        requests = [record for record in records if type(record) is LoggedRequest]
        kinds = self._requests.of(requests)
        statuses, of_kinds = self._requests.labelled(_status_told_by_node)
        labels = [None if status is None else (status, node, False) for status in statuses]
        told = self._numbers(labels, of_kinds[kinds])
        asked = told != _NOBODYS
        self._nodes.add([request.id for request in compress(requests, asked.tolist())], told[asked])

    def close(self, reconciler: Reconciler, *, compare: bool) -> set[int]:
        """Give the reconciler what is left; hashes of the requests of which it must hear all, from the beginning.

        Without `compare` nobody asks for mismatches, only for counts.
        """
        self._sweep()
        told: list[Told] = list(self._told)
        reconciler.take_over(*(log.by_request(told) for log in (self._client, self._balancer, self._nodes)))
        self._doubtful |= _equal_ones(np.frombuffer(self._sent, np.int64))
        if compare:
            self._doubtful |= {hash(mismatch.request) for mismatch in reconciler.mismatches()}
        return self._doubtful

    def _numbers(self, labels: list[Told | None], places: Numbers) -> Numbers:
        """The numbers of what is said; the places are those of the labels."""
        numbers = [_NOBODYS if told is None else self._told[told] for told in labels]
        return np.array(numbers, np.int64)[places]

    def _sweep(self) -> None:
        """Forget what all three say alike."""
        logs = (self._client, self._balancer, self._nodes)
        for log in logs[1:]:
            self._doubtful |= log.twice()
        said = [log.said() for log in logs]
        counts = [len(each) for each in said]
        together = np.concatenate(said)
        order = np.argsort(together)
        # Three alike in a row settle a request only if each is another log's: no other three of these sum up to 7.
        ordered, by = together[order], np.repeat((1, 2, 4), counts)[order]
        begins = np.flatnonzero((ordered[2:] == ordered[:-2]) & (by[2:] + by[1:-1] + by[:-2] == 1 + 2 + 4))
        settled = np.zeros(len(together), np.bool_)
        settled[order[begins[:, None] + np.arange(3)]] = True
        for log, marks in zip(logs, np.split(settled, np.cumsum(counts)[:-1]), strict=True):
            log.drop(marks)
        self._settled += len(begins)
        self._sweep_at = max(SWEEP, 2 * len(self._client.requests))


def _told_to_shopper(kind: Kind) -> Told | None:
    return kind.status, kind.node, False


def _told_by_balancer(kind: _LineKind) -> Told | None:
    if kind.path == HEALTH:
        return None
    return kind.status or 0, kind.answered_by or "", kind.flags not in NO_FLAGS


def _status_told_by_node(kind: _RequestKind) -> int | None:
    return None if kind.path == HEALTH else kind.status


def _equal_ones(numbers: Numbers) -> set[int]:
    """Those that are there more than once; the numbers are in order afterwards."""
    numbers.sort()  # where they are: a copy of millions would be as large again
    return set(numbers[1:][numbers[1:] == numbers[:-1]].tolist())
