"""Do the client's, the balancer's and the nodes' logs tell the same story, request by request?

Every answer that a shopper got is in the balancer's log once, with the same status and from the same node; every answer
of a shop that the balancer passed on is in that node's log once, with the same status. What is anywhere else, or twice
(a hidden re-send), is a mismatch. Allowed: what the client gave up on may or may not have reached the balancer. A
balancer that retries may have asked several nodes, or again one that had failed, of which one gave the answer; one that
was struck wrote nothing down of what it had begun.

Where people with browsers were admitted, the balancer and the nodes know requests that no shopper sent: those whose id
does not begin with the run's. They are counted by themselves, and whether the logs agree about them is nobody's
question: a person may ask for what nodes do not log, or under an id that cannot be logged, and what a guest asks must
not make an experiment doubtful. Whatever carries the run's id is a shopper's, and a hidden re-send of it is as visible
as ever.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from compose.balancers.access_log import NO_FLAGS, AccessLine
from loadtests.model.history import Exchange, Record
from loadtests.model.results import Mismatch
from shared.request_log import LoggedRequest, LogRecord

HISTORY, BALANCERS, NODES = "the history", "the balancer's log", "the nodes' logs"
LISTED = 100
"""At most so many mismatches are listed; all are counted."""
REFUSED, FAILED = 400, 500
HEALTH = "/healthz"
"""What the harness itself asks through the balancer; no shopper does, and nodes do not log it."""
PROBE = "probe-"
"""How the ids of its other questions begin."""


class _LogEntry(NamedTuple):
    """What one log says of one request; equal ones are one object, so that a long run fits into memory."""

    status: int
    node: str
    cut_off: bool = False
    """The balancer's flags say that something went amiss on the way."""


LogEntry = tuple[int, str, bool]
"""The same for whoever makes many of them: a plain tuple costs a fifth."""
_ANSWERED = _LogEntry(200, "")


class Reconciler:
    """Take in the three logs, in any order, then `mismatches`.

    `only`: hashes of the requests that are compared; the others, of which each stands in a log once, are counted.
    """

    def __init__(
        self, *, retries: bool = False, balancer_fell: bool = False, is_guests: Callable[[str], bool] = lambda _: False,
        nodes_tell: bool = True, balancer_tells: bool = True, only: Collection[int] | None = None,
    ) -> None:  # fmt: skip
        self._only = only
        self._others: Counter[str] = Counter()
        """Requests that are only counted, by the log."""
        self._balancer_tells = balancer_tells
        self._nodes_tell = nodes_tell
        self._is_guests = is_guests
        self._retries = retries
        self._balancer_fell = balancer_fell
        self._in_vain: dict[str, list[_LogEntry]] = {}
        """Requests that several nodes were asked, by all but the first of them."""
        self._same: dict[_LogEntry, _LogEntry] = {}
        self._client: dict[str, _LogEntry] = {}
        self._balancer: dict[str, _LogEntry] = {}
        self._nodes: dict[str, _LogEntry] = {}
        self._twice: list[Mismatch] = []

    @property
    def counts(self) -> tuple[int, int, int]:
        """Requests by client, balancer and nodes; those of guests are in none of them."""
        balancer, nodes = (
            sum(not self._is_guests(request) for request in book) for book in (self._balancer, self._nodes)
        )
        client, others = len(self._client), self._others
        return client + others[HISTORY], balancer + others[BALANCERS], nodes + others[NODES]

    @property
    def by_guests(self) -> int:
        """Requests of people with browsers, by the balancer."""
        return sum(map(self._is_guests, self._balancer))

    def add_records(self, records: Iterable[Record]) -> None:
        """What shoppers sent and were answered."""
        self.add(*(record for record in records if isinstance(record, Exchange)))

    def add(self, *exchanges: Exchange) -> None:
        """Some exchanges of shoppers."""
        for exchange in exchanges:
            if exchange.request:
                self._enter(self._client, HISTORY, exchange.request, _LogEntry(exchange.status, exchange.node))

    def add_lines(self, lines: Iterable[AccessLine]) -> None:
        """What the balancer passed on."""
        for line in lines:
            request = line.id or ""
            if line.path != HEALTH and not request.startswith(PROBE):
                told = _LogEntry(line.status or 0, line.answered_by or "", line.flags not in NO_FLAGS)
                self._enter(self._balancer, BALANCERS, request, told)

    def add_node(self, node: str, records: Iterable[LogRecord]) -> None:
        """What a node was asked."""
        for record in records:
            if not isinstance(record, LoggedRequest) or record.path == HEALTH or record.id.startswith(PROBE):
                continue
            told, before = _LogEntry(record.status, node), self._nodes.get(record.id)
            # Only where retries are told: without them a second line of one request is a hidden re-send, and must show.
            if before is not None and self._retries and (before.node != node or before.status >= FAILED):
                self._in_vain.setdefault(record.id, []).append(told)
            else:
                self._enter(self._nodes, NODES, record.id, told)

    def take_over(
        self, client: Mapping[str, LogEntry], balancer: Mapping[str, LogEntry], nodes: Mapping[str, LogEntry]
    ) -> None:
        """What another has heard of all three logs, by request."""
        self._client |= {request: _LogEntry(*said) for request, said in client.items()}
        for book, told in ((self._balancer, balancer), (self._nodes, nodes)):
            # The client's needs no such look: probes are the harness's own, and in no history.
            book |= {request: _LogEntry(*said) for request, said in told.items() if not request.startswith(PROBE)}

    def mismatches(self) -> Iterator[Mismatch]:
        """All of them."""
        return (found for found in self._disagreements() if not self._is_guests(found.request))

    def _disagreements(self) -> Iterator[Mismatch]:
        yield from self._twice
        if not self._balancer_tells:
            return
        yield from self._client_against_balancer()
        if self._nodes_tell:
            yield from self._balancer_against_nodes()
        for request in self._balancer.keys() - self._client.keys():
            yield Mismatch(request, "the balancer's log has it, no shopper sent it")
        for request in self._nodes.keys() - self._balancer.keys():
            known = self._client.get(request, _ANSWERED)
            # A balancer that is struck writes nothing down of what it had passed on; the client got no answer.
            if self._balancer_fell and known.status == 0:
                continue
            yield Mismatch(request, f"{self._nodes[request].node} has it, the balancer's log does not")

    def _client_against_balancer(self) -> Iterator[Mismatch]:
        for request, told in self._client.items():
            # Without an answer it is open whether the balancer ever got it: both are allowed.
            if not told.status:
                continue
            line = self._balancer.get(request)
            # A balancer that is back after it was struck may refuse people before it has read where to write.
            if line is None and self._balancer_fell and not told.node and told.status >= REFUSED:
                continue
            if line is None:
                yield Mismatch(request, f"a shopper was answered {told.status}, the balancer's log does not have it")
            elif line.status != told.status:
                yield Mismatch(request, f"a shopper was answered {told.status}, the balancer's log says {line.status}")
            elif line.node != told.node:
                client, balancer = told.node or "no shop", line.node or "no shop"
                yield Mismatch(request, f"answered by {client}, and by {balancer} in the balancer's log")

    def _balancer_against_nodes(self) -> Iterator[Mismatch]:
        for request, line in self._balancer.items():
            told = self._by_node(request, line)
            if line.node:
                if told is None:
                    yield Mismatch(request, f"{line.node} answered by the balancer's log, and no node's log has it")
                elif (told.node, told.status) != (line.node, line.status):
                    balancer = f"{line.node} answered {line.status} by the balancer's log"
                    yield Mismatch(request, f"{balancer}, {told.node} answered {told.status} by its own")
            # Cut off: a node that died while answering may have logged what the balancer never received.
            elif told is not None and not line.cut_off:
                yield Mismatch(
                    request, f"{told.node} answered {told.status}, and the balancer's log knows of no answer"
                )

    def _by_node(self, request: str, line: _LogEntry) -> _LogEntry | None:
        """What the node that answered says of it, at best of that answer; otherwise what any says."""
        first = self._nodes.get(request)
        asked = [first, *self._in_vain.get(request, ())] if first else []
        there = [told for told in asked if told.node == line.node]
        return next((told for told in there if told.status == line.status), there[0] if there else first)

    def _enter(self, book: dict[str, _LogEntry], log: str, request: str, told: _LogEntry) -> None:
        if self._only is not None and hash(request) not in self._only:
            self._others[log] += 1
            return
        if request in book:
            self._twice.append(Mismatch(request, f"{log} have it twice: it was sent again, or written down again"))
        # One object for all that say the same: millions of requests have a few dozen answers.
        book[request] = self._same.setdefault(told, told)


def list_mismatches(mismatches: Iterable[Mismatch]) -> tuple[tuple[Mismatch, ...], int]:
    """The first hundred by request id, and how many there are."""
    found = sorted(mismatches, key=lambda mismatch: (mismatch.request, mismatch.what))
    return tuple(found[:LISTED]), len(found)
