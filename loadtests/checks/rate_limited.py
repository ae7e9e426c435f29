"""A request that was refused for coming too often."""

from __future__ import annotations

from loadtests.checks.contract import Tally
from loadtests.model.history import Exchange


class RateLimited(Tally):
    """Protection, if it hits those who ask too much; and a loss of service, if it does not."""

    name = "rate_limited"
    rule = "A request is answered 429 (too many requests)."

    def saw(self, exchange: Exchange) -> None:
        """Whatever it asked for."""
        if exchange.status == 429:
            self.count(exchange)
