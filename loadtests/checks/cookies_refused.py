"""A cookie that a browser would have ignored for its size."""

from __future__ import annotations

from loadtests.checks.contract import Tally
from loadtests.model.history import Exchange


class CookiesRefused(Tally):
    """What the shop meant the shopper to keep is not kept, and nobody says so."""

    name = "cookies_refused"
    rule = (
        "An answer sets a cookie of more than 4,096 bytes, which a browser ignores, and so does the client: "
        "the shopper keeps the one from before."
    )

    def saw(self, exchange: Exchange) -> None:
        """The client says so."""
        if exchange.cookie_refused and exchange.jar == "main":
            self.count(exchange)
