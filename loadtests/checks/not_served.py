"""A planned action that the shopper saw fail, or of which it never knew."""

from __future__ import annotations

from loadtests.checks.contract import Tally
from loadtests.model.history import Exchange


class NotServed(Tally):
    """Counted as the shopper saw it: what a later answer settles was an error all the same."""

    name = "not_served"
    rule = (
        "A planned action with the shopper's own cookies gets an answer that is not ok, or none. "
        "What was not sent does not count."
    )

    def saw(self, exchange: Exchange) -> None:
        """Being answered as a stranger is one of them."""
        if exchange.why == "plan" and exchange.jar == "main" and exchange.outcome in ("failed", "unknown"):
            self.count(exchange)
