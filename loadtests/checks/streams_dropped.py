"""An event stream that ended before its time."""

from __future__ import annotations

from loadtests.checks.contract import Tally
from loadtests.model.history import Exchange


class StreamsDropped(Tally):
    """The node at the other end died, or something on the way did."""

    name = "streams_dropped"
    rule = "An event stream of a shopper, once it was open, ends before the shopper meant to stop watching it."

    def saw(self, exchange: Exchange) -> None:
        """The client says so."""
        if exchange.dropped and exchange.jar == "main":
            self.count(exchange)
