"""A cookie that a browser would have ignored for its size."""

from loadtests.checks.contract import Tally
from loadtests.model.history import Exchange
from loadtests.model.measures import Measure, shoppers_of


class CookiesRefused(Tally):
    """What the shop meant the shopper to keep is not kept, and nobody says so."""

    name = "cookies_refused"
    rule = (
        "An answer sets a cookie of more than 4,096 bytes, which a browser ignores, and so does the client: "
        "the shopper keeps the one from before."
    )
    measures = (
        Measure(
            "cookies_refused",
            "Shoppers with at least one answer whose cookie was too large for a browser.",
            shoppers_of("cookies_refused"),
            sort="count",
            group="Goods",
            meaning="Shoppers who were sent at least one cookie of more than 4,096 bytes, which a browser ignores "
            "without a word: what it was to hold is not kept.",
            headline="shoppers whose cookie grew too large",
            of_all=True,
            place=38,
        ),
    )

    def saw(self, exchange: Exchange) -> None:
        """The client says so."""
        # A thief's browser refuses it as well, and takes nothing from anybody.
        if exchange.cookie_refused and exchange.jar == "main":
            self.count(exchange)
