"""What a session says to whoever has its cookie: signed is not encrypted."""

from loadtests.checks.contract import Tally
from loadtests.model.history import Exchange
from loadtests.model.measures import Measure, shoppers_of


class ReadByOthers(Tally):
    """A server keeps its sessions to itself; a token carries them about."""

    name = "read_by_others"
    rule = (
        "Somebody copies a shopper's cookies and finds the shopper's name in them, as it stands or after undoing "
        "base64 and compression, for which no key is needed."
    )
    measures = (
        Measure(
            "read_by_others",
            "Shoppers whose name somebody who copied their cookies reads there, without any key.",
            shoppers_of("read_by_others"),
            sort="count",
            group="Security",
            headline="shoppers whose name others read in their cookie",
            of_all=True,
            place=39,
        ),
    )

    def saw(self, exchange: Exchange) -> None:
        """Whose name it was, the client has written down."""
        if exchange.do == "read_cookie" and exchange.user:
            self.count(exchange)
