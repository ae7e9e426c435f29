"""Counts what is no loss, in one pass: tells each tally of what it may want to hear, and of nothing else, for speed."""

from __future__ import annotations

from collections.abc import Iterable

from loadtests.checks import TALLIES, Tally
from loadtests.model.history import ENDS_SESSION, STALLED_US, Do, Exchange
from loadtests.model.results import Counted
from loadtests.session_model.timeline import RunTimeline

TELLING: frozenset[Do] = frozenset({"login", "watch", "read_cookie", *ENDS_SESSION})
"""What every tally hears of, whatever came of it."""


class Tallies:
    """`add` all exchanges of one architecture, in order, then `close`."""

    def __init__(self, scene: RunTimeline, tallies: Iterable[type[Tally]] | None = None) -> None:
        self.crashed: dict[str, str] = {}
        """Tallies that raised, and what: their numbers are unknown."""
        self._tallies = [tally(scene) for tally in (TALLIES.values() if tallies is None else tallies)]
        self._tell_all = any(tally.hears_all for tally in self._tallies)

    def add(self, exchange: Exchange) -> None:
        """Count one exchange."""
        if not (
            self._tell_all
            or exchange.outcome != "ok"
            or exchange.do in TELLING
            or exchange.done_us - exchange.sent_us > STALLED_US
            or exchange.cookie_refused
        ):
            return
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
