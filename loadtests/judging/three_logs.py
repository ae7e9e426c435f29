"""The client's, the balancer's and the nodes' logs of one architecture: heard side by side, then compared."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from compose.balancers.access_log import RawLine
from loadtests.judging.log_matching import Settling
from loadtests.judging.reconcile import HEALTH, PROBE, Reconciler, list_mismatches
from loadtests.judging.sources import Sources
from loadtests.model.history import Exchange, Record
from loadtests.model.results import Mismatch
from loadtests.session_model.timeline import RunTimeline
from shared.request_log import LoggedRequest, LogRecord


class Compared(msgspec.Struct, frozen=True):
    """What came of it."""

    counts: tuple[int, int, int]
    """Requests by client, balancer and nodes."""
    by_guests: int
    listed: tuple[Mismatch, ...]
    mismatches: int


class ThreeLogs:
    """Take in all that stands in the three logs then `close`."""

    def __init__(self, scene: RunTimeline) -> None:
        self._scene = scene
        self._reconciler = self._new_reconciler()
        # A balancer that retries may ask another node long after one has answered; of guests there is no history.
        self._settling = None if scene.retries or scene.guests else Settling()
        hearer = self._settling or Closely(self._reconciler)
        self.in_step = self._settling is not None
        """It wants to hear all three side by side; otherwise one after the other."""
        self.add_exchanges = hearer.add_exchanges
        self.add_lines = hearer.add_lines
        self.add_node = hearer.add_node

    def close(self, sources: Sources) -> Compared:
        """What they disagree on; not asked of an architecture that was cut off, whose logs end anywhere.

        The sources are read once more if what was heard of a request may be forgotten already.
        """
        settling, reconciler = self._settling, self._reconciler
        counts = None
        if settling is not None:
            doubtful = settling.close(reconciler, compare=self._scene.finished)
            if doubtful:
                reconciler = self._new_reconciler()
                closely = Closely(reconciler, doubtful)
                sources.read_in_turn(closely)
                counts = closely.counts
            else:
                counts = settling.counts
        listed, count = list_mismatches(reconciler.mismatches() if self._scene.finished else ())
        return Compared(counts or reconciler.counts, reconciler.by_guests, listed, count)

    def _new_reconciler(self) -> Reconciler:
        scene = self._scene
        return Reconciler(retries=scene.retries, balancer_fell=scene.balancer_fell, is_guests=scene.is_guests)


class Closely:
    """Tells a reconciler of all requests, or of the doubtful ones (by their hashes), and counts the others."""

    def __init__(self, reconciler: Reconciler, doubtful: set[int] | None = None) -> None:
        self._reconciler = reconciler
        self._doubtful = doubtful
        self._client = self._balancer = self._nodes = 0
        """Requests that are not doubtful: each stands in a log once."""

    @property
    def counts(self) -> tuple[int, int, int]:
        """Requests by client, balancer and nodes."""
        client, balancer, nodes = self._reconciler.counts
        return client + self._client, balancer + self._balancer, nodes + self._nodes

    def add_records(self, records: list[Record]) -> None:
        """What shoppers sent and were answered."""
        self.add_exchanges(record for record in records if isinstance(record, Exchange))

    def add_exchanges(self, exchanges: Iterable[Exchange]) -> None:
        """The same."""
        for exchange in exchanges:
            if self._wants(exchange.request):
                self._reconciler.add_exchange(exchange)
            elif exchange.request:
                self._client += 1

    def add_lines(self, lines: list[RawLine]) -> None:
        """What the balancer passed on."""
        for line in lines:
            if self._wants(line.id or ""):
                self._reconciler.add_line(line.line())
            elif line.path != HEALTH and not (line.id or "").startswith(PROBE):
                self._balancer += 1

    def add_node(self, node: str, records: list[LogRecord]) -> None:
        """What a node was asked."""
        for record in records:
            if self._wants(record.id):
                self._reconciler.add_node(node, (record,))
            elif isinstance(record, LoggedRequest) and record.path != HEALTH and not record.id.startswith(PROBE):
                self._nodes += 1

    def _wants(self, request: str) -> bool:
        return self._doubtful is None or hash(request) in self._doubtful
