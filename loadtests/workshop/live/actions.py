"""The book of planned actions while a round goes on: what the shoppers saw, and what a later answer settled."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from loadtests.model.history import Exchange, Outcome
from loadtests.session_model.expectations import Settlement


class LiveActions:
    """`add` every exchange and `settle` what became known; the same rules as `loadtests.judging.books`."""

    def __init__(self) -> None:
        self.over = 0
        """Planned actions that are over, sent or not: at the end, all of them."""
        self._outcomes: dict[Outcome, int] = {"ok": 0, "failed": 0, "unknown": 0, "not_sent": 0}
        self._unknown: dict[str, Exchange] = {}
        self._settled: dict[str, Outcome] = {}

    @property
    def failed(self) -> int:
        """Planned actions that surely did not happen."""
        return self._outcomes["failed"]

    @property
    def unknown(self) -> int:
        """Planned actions of which nobody knows whether they happened."""
        return self._outcomes["unknown"]

    def add(self, exchange: Exchange) -> None:
        """Count one exchange."""
        if exchange.why != "plan":
            return
        self.over += 1
        self._outcomes[exchange.outcome] += 1
        if exchange.outcome == "unknown":
            self._unknown[exchange.request] = exchange

    def settle(self, settlements: Iterable[Settlement]) -> None:
        """A later answer told what became of a write; the newest word on it counts."""
        for settlement in settlements:
            if settlement.request in self._unknown:
                self._put(settlement.request, settlement.outcome)

    def settle_checkouts(self, made: Collection[str]) -> None:
        """The database was read, and these requests made the orders in it: of checkouts it knows best."""
        for request, exchange in self._unknown.items():
            if exchange.do == "checkout":
                self._put(request, "ok" if request in made else "failed")

    def _put(self, request: str, outcome: Outcome) -> None:
        self._outcomes[self._settled.get(request, "unknown")] -= 1
        self._outcomes[outcome] += 1
        self._settled[request] = outcome
