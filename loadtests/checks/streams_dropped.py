"""An event stream that ended before its time."""

from loadtests.checks.contract import Tally
from loadtests.model.history import Exchange
from loadtests.model.measures import Measure, events_of


class StreamsDropped(Tally):
    """The node at the other end died, or something on the way did."""

    name = "streams_dropped"
    rule = "An event stream of a shopper, once it was open, ends before the shopper meant to stop watching it."
    measures = (
        Measure(
            "streams_dropped",
            "Event streams that ended before their time.",
            events_of("streams_dropped"),
            sort="count",
            group="Service",
            meaning="Live connections (event streams) that ended before their time.",
            headline="live connections dropped",
            counted="each time",
            place=36,
        ),
    )

    def saw(self, exchange: Exchange) -> None:
        """The client says so."""
        if exchange.dropped and exchange.jar == "main":
            self.count(exchange)
