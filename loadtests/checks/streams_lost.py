"""A dropped event stream whose owner was a stranger on coming back."""

from __future__ import annotations

from loadtests.checks.contract import Tally
from loadtests.history import Exchange
from loadtests.judging.scene import Scene


class StreamsLost(Tally):
    """Whoever comes back to another node comes back to nobody who knows them."""

    name = "streams_lost"
    rule = (
        "A shopper's event stream was dropped, and the next time that the shop answers the shopper's asking for it, "
        "it answers 401."
    )

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._dropped: set[int] = set()

    def saw(self, exchange: Exchange) -> None:
        """An answer that is neither the stream nor 401 decides nothing: the shopper will ask again."""
        if exchange.do != "watch" or exchange.jar != "main":
            return
        if exchange.status == 401 and exchange.shopper in self._dropped:
            self.count(exchange)
        if exchange.status in (200, 401):
            self._dropped.discard(exchange.shopper)
        if exchange.dropped:
            self._dropped.add(exchange.shopper)
