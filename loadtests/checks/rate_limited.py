"""A request that was refused for coming too often."""

from loadtests.checks.contract import Tally
from loadtests.model.history import Exchange
from loadtests.model.measures import Measure, events_of, shoppers_of


class RateLimited(Tally):
    """Protection, if it hits those who ask too much; and a loss of service, if it does not."""

    name = "rate_limited"
    rule = "A request is answered 429 (too many requests)."
    measures = (
        Measure(
            "rate_limited",
            "Answers 429 (too many requests).",
            events_of("rate_limited"),
            sort="count",
            group="Actions",
            label="Too many",
            meaning="Requests that were refused for coming too often (429).",
            headline="requests refused as too many",
            counted="answers",
            place=40,
        ),
        Measure(
            "rate_limited_shoppers",
            "Shoppers who got one.",
            shoppers_of("rate_limited"),
            sort="count",
            group="Actions",
            report="never",
            terminal="never",
            place=41,
        ),
    )

    def saw(self, exchange: Exchange) -> None:
        """Whatever it asked for."""
        if exchange.status == 429:
            self.count(exchange)
