"""An answer that took long, and came."""

from loadtests.checks.contract import Tally
from loadtests.model.history import SLOW_ON_PURPOSE, STALLED_US, Exchange
from loadtests.model.measures import Measure, events_of, shoppers_of


class Stalled(Tally):
    """A wait that people notice: the page hangs, and then it goes on."""

    name = "stalled"
    rule = (
        "A planned action is answered ok more than 900 ms after it was sent. What takes its time on purpose (the slow "
        "page, the event stream) does not count."
    )
    measures = (
        Measure(
            "stalled",
            "Shoppers with at least one planned action answered ok more than 900 ms after it was sent.",
            shoppers_of("stalled"),
            sort="count",
            group="Service",
            meaning="Shoppers who waited more than 0.9 s, from the sending, for an answer that then came and was ok.",
            headline="shoppers who waited more than 0.9 s",
            of_all=True,
            place=32,
        ),
        Measure(
            "stalls",
            "Planned actions answered ok so late.",
            events_of("stalled"),
            sort="count",
            group="Service",
            report="never",
            terminal="never",
            place=33,
        ),
    )

    def saw(self, exchange: Exchange) -> None:
        """From being sent, not from the plan: a late start would be counted again with each action after it."""
        # Without a request id nothing was sent, so nobody waited.
        if exchange.why != "plan" or exchange.outcome != "ok" or not exchange.request:
            return
        if exchange.done_us - exchange.sent_us > STALLED_US and exchange.do not in SLOW_ON_PURPOSE:
            self.count(exchange)
