"""A dropped event stream whose owner was a stranger on coming back."""

from loadtests.checks.contract import Tally
from loadtests.model.history import ENDS_SESSION, NEEDS_LOGIN, Exchange
from loadtests.model.measures import Measure, events_of
from loadtests.session_model.timeline import RunTimeline


class StreamsLost(Tally):
    """Whoever comes back to another node comes back to nobody who knows them."""

    name = "streams_lost"
    rule = (
        "A shopper's event stream was dropped, and the first answer to what was sent after that, and is only for "
        "somebody who is known, is 401."
    )
    measures = (
        Measure(
            "streams_lost",
            "Dropped event streams whose owner was a stranger (401) on coming back to the shop.",
            events_of("streams_lost"),
            sort="count",
            group="Service",
            meaning="Dropped live connections whose owner was a stranger on coming back.",
            headline="live connections whose owner came back as a stranger",
            counted="each time",
            place=37,
        ),
    )

    def __init__(self, scene: RunTimeline) -> None:
        super().__init__(scene)
        self._dropped_us: dict[int, int] = {}

    def saw(self, exchange: Exchange) -> None:
        """Whatever was asked for first: the stream again, or anything else. What is no answer decides nothing."""
        if exchange.jar != "main":
            return
        shopper, dropped_us = exchange.shopper, self._dropped_us.get(exchange.shopper)
        # First what it says of the drop before: the stream that is opened again can be dropped, too.
        if dropped_us is not None and exchange.sent_us >= dropped_us and self._decides(exchange):
            if exchange.as_stranger:
                self.count(exchange)
            del self._dropped_us[shopper]
            self.following.discard(shopper)
        if exchange.dropped:
            self._dropped_us[shopper] = exchange.done_us
            self.following.add(shopper)  # for a quick ok decides it as well: then somebody knew them

    @staticmethod
    def _decides(exchange: Exchange) -> bool:
        if exchange.do == "login":
            return exchange.outcome == "ok"  # another session: of the one before, nothing will be known any more
        known = exchange.outcome == "ok" and exchange.do in (*NEEDS_LOGIN, "watch")
        return known or exchange.as_stranger or exchange.do in ENDS_SESSION
