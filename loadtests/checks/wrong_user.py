"""Somebody else's name is shown."""

from __future__ import annotations

from loadtests.checks.contract import Check
from loadtests.checks.witness import told
from loadtests.model.history import Exchange
from loadtests.model.measures import Measure
from loadtests.session_model.carts import Contradiction
from loadtests.session_model.causes import Reason
from loadtests.session_model.shopper_trace import ShopperTrace


class WrongUser(Check):
    """An answer that names another person."""

    kind = "wrong_user"
    rule = "An answer shows another user's name. Counted again only when the name shown changes again."
    happened = "was shown somebody else's name or cart"
    plural = "answers meant for somebody else"
    field = "wrong_user"
    measures = (
        Measure(
            "wrong_user",
            "Times that somebody else's name was shown.",
            lambda it: it.wrong_user,
            sort="loss",
            group="Security",
            headline="answers with somebody else's name",
            kinds=("wrong_user",),
            report="never",
            terminal="never",
            counted="each time",
            place=24,
        ),
    )

    def contradicted(self, person: ShopperTrace, exchange: Exchange, finding: Contradiction) -> None:
        """Proved by the login and by the answer."""
        self.lose(exchange, Reason(), [told(person.login), told(exchange)])
