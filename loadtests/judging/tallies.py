"""Counts what is no loss, in one pass: tells each tally of what it may want to hear, and of nothing else, for speed."""

from __future__ import annotations

from collections.abc import Iterable

from loadtests.checks import TALLIES, Tally
from loadtests.model.batch import Batch, Kind, batch_of
from loadtests.model.history import Do, Exchange
from loadtests.model.results import Counted
from loadtests.session_model.action_kinds import LEAVES, STALLED_US
from loadtests.session_model.timeline import RunTimeline

TELLING: frozenset[Do] = frozenset({"login", "watch", "read_cookie", *LEAVES})
"""What every tally hears of, whatever came of it."""


class Tallies:
    """`add` all exchanges of one architecture, in order, then `close`."""

    def __init__(self, scene: RunTimeline, tallies: Iterable[type[Tally]] | None = None) -> None:
        self.crashed: dict[str, str] = {}
        """Tallies that raised, and what: their numbers are unknown."""
        self._tallies = [tally(scene) for tally in (TALLIES.values() if tallies is None else tallies)]
        self._tell_all = any(tally.hears_all for tally in self._tallies)

    def add_all(self, batch: Batch) -> None:
        """Count many, in order."""
        telling = batch.where(_telling) | (batch.done_us - batch.sent_us > STALLED_US)
        if self._tell_all or telling.any():
            for exchange, tells in zip(batch, telling.tolist(), strict=True):
                if tells or self._tell_all:
                    self._add(exchange)

    def add(self, exchange: Exchange) -> None:
        """Count one exchange."""
        self.add_all(batch_of(exchange))

    def _add(self, exchange: Exchange) -> None:
        for tally in self._tallies:
            if tally.name not in self.crashed:
                self._tell(tally, exchange)
        self._tell_all = any(tally.hears_all or tally.following for tally in self._tallies)

    def close(self) -> dict[str, Counted]:
        """What was counted, by tally."""
        return {tally.name: tally.counted() for tally in self._tallies}

    def _tell(self, tally: Tally, exchange: Exchange) -> None:
        """What a tally that raises would have counted, nobody knows."""
        try:
            tally.saw(exchange)
        except Exception as error:  # noqa: BLE001 - whatever it is: the verdict names it
            self.crashed[tally.name] = f"{type(error).__name__}: {error}"


def _telling(kind: Kind) -> bool:
    return kind.outcome != "ok" or kind.do in TELLING or kind.cookie_refused
