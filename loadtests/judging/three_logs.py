"""The client's, the balancer's and the nodes' logs of one architecture: read side by side, then compared.

`loadtests.judging.reconcile` has the rules, and must know all that three logs say of a request. Nearly always that is
three times the same: shopper, balancer and one node name the same answer. Such a request is dropped as soon as the
third of them is read, so that no more is kept than what is on its way and what went amiss. What is left in the end
goes to the reconciler. Should it find a mismatch, or should a request stand in a log twice (the first of the two may be
forgotten by then), the logs are read once more, and a reconciler is told all that they say of those requests.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from heapq import merge
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Protocol

from compose.balancers.access_log import KEPT_LOG, NO_FLAGS, AccessLine, read_access_batches
from loadtests.judging.reconcile import HEALTH, PROBE, LogEntry, Reconciler, list_mismatches
from loadtests.model.fault_timeline import NEVER_US
from loadtests.model.history import Exchange, Record
from loadtests.model.results import Reconciliation
from loadtests.session_model.timeline import RunTimeline
from shared.request_log import LoggedRequest, LogRecord, read_request_batches

History = Callable[[], Iterator[list[Record]]]
"""Reads one architecture's records in lists, from the beginning each time that it is called."""


class LogListener(Protocol):
    """Whoever is told all that stands in history and logs, a piece at a time."""

    def add_records(self, records: list[Record]) -> None:
        """What shoppers sent and were answered; at the end, the database's orders."""

    def add_lines(self, lines: list[AccessLine]) -> None:
        """What the balancer passed on."""

    def add_node(self, node: str, records: list[LogRecord]) -> None:
        """What a node was asked."""


_Pieces = Iterator[tuple[int, Callable[[], None]]]
"""When it was, by the wall clock in microseconds, and what tells of it."""


class Sources:
    """Where the history and the logs of one architecture are read from.

    Reading raises RunFolderError if a file is missing or damaged; it names the file and the line.
    """

    def __init__(self, history: History, logs: Path, nodes: tuple[str, ...], epoch_us: int) -> None:
        self._history = history
        self._logs = logs
        self._nodes = nodes
        self._epoch_us = epoch_us

    def read_in_turn(self, hearer: LogListener) -> None:
        """First the history, then the balancer's log, then node by node."""
        for _, tell in chain.from_iterable(self._pieces(hearer)):
            tell()

    def read_in_step(self, hearer: LogListener) -> None:
        """All of them side by side, so that whoever compares them need not keep what the others have yet to tell.

        A piece of a log goes by its first line, one of the history by its last: so the logs have told of nearly all
        that a piece of the history tells of. Were it otherwise, nothing would come out wrong, it would only need more
        memory.
        """
        history, *logs = self._pieces(hearer)
        for _, tell in merge(*logs, history, key=itemgetter(0)):
            tell()

    def _pieces(self, hearer: LogListener) -> Iterator[_Pieces]:
        yield ((self._last_us(records), partial(hearer.add_records, records)) for records in self._history())
        for written in (read_access_batches(self._logs / name) for name in ("access.ndjson", KEPT_LOG)):
            yield ((some[0].at_us, partial(hearer.add_lines, some)) for some in written if some)
        for node in self._nodes:
            log = self._logs / f"{node}.requests.ndjson"
            if log.exists():
                yield _node(log, partial(hearer.add_node, node))

    def _last_us(self, records: list[Record]) -> int:
        """Orders were read from the database when all was over."""
        last = records[-1]
        return self._epoch_us + last.done_us if isinstance(last, Exchange) else NEVER_US


def _node(log: Path, tell: Callable[[list[LogRecord]], None]) -> _Pieces:
    return ((records[0].at_us, partial(tell, records)) for records in read_request_batches(log) if records)


SWEEP = 20_000
"""Open requests of shoppers after which it is looked whether a log that came late has settled them."""
MANY = 200_000
"""From so many numbers on, NumPy finds equal ones sooner than Python, although it must be loaded for that first; and
Python would need a hundred bytes of each."""


class ThreeLogs:
    """Take in all that stands in the three logs, then `close`."""

    def __init__(self, scene: RunTimeline) -> None:
        self._scene = scene
        self._reconciler = self._comparing()
        # A balancer that retries may ask another node long after one has answered; of guests there is no history.
        # Where nodes write no logs, there are not three that could be compared.
        alone = scene.retries or scene.guests or not scene.can.logs_requests
        self._matching = None if alone else LogMatching()
        listener = self._matching or self._reconciler
        self.in_step = self._matching is not None
        """It wants to hear all three side by side; otherwise one after the other."""
        self.add = listener.add
        self.add_lines = listener.add_lines
        self.add_node = listener.add_node

    def close(self, sources: Sources) -> Reconciliation:
        """What they disagree on; not asked of an architecture that was cut off, whose logs end anywhere.

        The sources are read once more if what was heard of a request may be forgotten already.
        """
        matching, reconciler = self._matching, self._reconciler
        doubtful = matching.close(reconciler, compare=self._scene.finished) if matching else None
        if doubtful:
            reconciler = self._comparing(doubtful)
            sources.read_in_turn(reconciler)
        counts = matching.counts if matching and not doubtful else reconciler.counts
        listed, count = list_mismatches(reconciler.mismatches() if self._scene.finished else ())
        return Reconciliation(*counts, listed, count, None, reconciler.by_guests)

    def _comparing(self, only: Collection[int] | None = None) -> Reconciler:
        scene = self._scene
        return Reconciler(
            retries=scene.retries, balancer_fell=scene.balancer_fell, is_guests=scene.is_guests,
            nodes_tell=scene.can.logs_requests, balancer_tells=scene.can.behind_our_balancer, only=only,
        )  # fmt: skip


class LogMatching:
    """Take in the logs, in any order, best side by side; then `close`. Not for a balancer that retries, nor guests."""

    def __init__(self) -> None:
        self._client: dict[str, LogEntry] = {}
        self._balancer: dict[str, LogEntry] = {}
        self._nodes: dict[str, LogEntry] = {}
        self._settled = 0
        self._sent = array("q")
        """A hash of each request that a shopper sent: what stands in all three logs twice would be settled twice."""
        self._doubtful: set[int] = set()
        """Hashes of requests that one of the logs has twice, or that look like the harness's own and are shoppers'."""
        self._sweep_at = SWEEP

    @property
    def counts(self) -> tuple[int, int, int]:
        """Requests by client, balancer and nodes, if `close` found nothing doubtful."""
        balancer, nodes = (sum(not each.startswith(PROBE) for each in log) for log in (self._balancer, self._nodes))
        return self._settled + len(self._client), self._settled + balancer, self._settled + nodes

    def add(self, *exchanges: Exchange) -> None:
        """What shoppers sent and were answered."""
        client, balancer, nodes = self._client, self._balancer, self._nodes
        asked = [exchange for exchange in exchanges if exchange.request]
        many = len(balancer)
        for exchange in asked:
            request = exchange.request
            # False: what the balancer calls cut off is never settled here, and comes before the reconciler.
            told = (exchange.status, exchange.node, False)
            if told == nodes.get(request) == balancer.get(request):
                del balancer[request], nodes[request]
            else:
                client[request] = told
        self._settled += many - len(balancer)
        if len(client) > self._sweep_at:
            self._sweep()
        # A number of eight bytes and no text several times as long: of millions of requests all must be remembered.
        requests = [exchange.request for exchange in asked]
        self._sent.extend(map(hash, requests))
        self._doubtful.update(hash(request) for request in requests if request.startswith(PROBE))

    def add_lines(self, lines: Iterable[AccessLine]) -> None:
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
        reconciler.take_over(self._client, self._balancer, self._nodes)
        self._doubtful |= _equal_ones(self._sent)
        if compare:
            self._doubtful |= {hash(mismatch.request) for mismatch in reconciler.mismatches()}
        return self._doubtful

    def _enter(self, log: dict[str, LogEntry], requests: list[str], told: list[LogEntry]) -> None:
        again = [request for request in requests if request in log]
        many = len(log) - len(again) + len(requests)
        log.update(zip(requests, told, strict=True))  # all at once: a third of the time of one by one
        if len(log) != many:
            # Only now is each of them looked at: nearly always there is none twice, and the length has said so.
            again += [request for request, times in Counter(requests).items() if times > 1]
        self._doubtful.update(hash(request) for request in again if not request.startswith(PROBE))

    def _sweep(self) -> None:
        """Forget what was settled by a log that came later than the shopper's."""
        for request, told in list(self._client.items()):
            if told == self._nodes.get(request) == self._balancer.get(request):
                del self._client[request], self._balancer[request], self._nodes[request]
                self._settled += 1
        # Twice what is left: where logs are late for long, looking again and again costs more than it frees.
        self._sweep_at = max(SWEEP, 2 * len(self._client))


def _equal_ones(numbers: "array[int]") -> set[int]:
    """Those that are there more than once; the numbers are in order afterwards."""
    if len(numbers) < MANY:
        return {number for number, times in Counter(numbers).items() if times > 1}
    import numpy as np

    ordered = np.frombuffer(numbers, dtype=np.int64)
    ordered.sort()  # where they are: a copy would be as large again
    return set(ordered[1:][ordered[1:] == ordered[:-1]].tolist())
