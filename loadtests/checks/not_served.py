"""A planned action that the shopper saw fail, or of which it never knew."""

from loadtests.checks.contract import Tally
from loadtests.model.history import Exchange
from loadtests.model.measures import Measure, shoppers_of


class NotServed(Tally):
    """Counted as the shopper saw it: what a later answer settles was an error all the same."""

    name = "not_served"
    rule = (
        "A planned action with the shopper's own cookies gets an answer that is not ok, or none. "
        "What was not sent does not count."
    )
    measures = (
        Measure(
            "failed_shoppers",
            "Shoppers with at least one planned action that they saw fail, or of which they never knew.",
            shoppers_of("not_served"),
            sort="count",
            group="Service",
            label="Met errors",
            meaning="Shoppers who saw at least one of their planned actions fail, or never knew what came of it. Being "
            "answered as a stranger is one of them.",
            headline="shoppers who met errors",
            of_all=True,
            terminal="never",
            place=34,
        ),
    )

    def saw(self, exchange: Exchange) -> None:
        """Being answered as a stranger is one of them."""
        if exchange.why == "plan" and exchange.jar == "main" and exchange.outcome in ("failed", "unknown"):
            self.count(exchange)
