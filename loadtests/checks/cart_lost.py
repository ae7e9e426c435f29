"""An acknowledged cart is shown empty."""

from __future__ import annotations

from loadtests.checks.contract import Check
from loadtests.checks.witness import before_loss, told
from loadtests.model.history import Exchange
from loadtests.model.measures import Measure
from loadtests.session_model.carts import Contradiction
from loadtests.session_model.causes import reason_of_cart_loss
from loadtests.session_model.shopper_trace import ShopperTrace


class CartLost(Check):
    """An acknowledged cart is shown empty."""

    kind = "cart_lost"
    rule = "The cart shown is empty (but for what this very request added), and something was certainly in it."
    happened = "lost the whole cart"
    plural = "carts lost whole"
    breaks = "read your writes"
    field = "carts_lost"
    measures = (
        Measure(
            "carts_lost",
            "Times that an acknowledged cart was shown empty.",
            lambda it: it.carts_lost,
            sort="loss",
            group="Goods",
            meaning="How often a cart was shown empty although the adding of goods had been acknowledged.",
            headline="carts lost",
            kinds=("cart_lost",),
            report="always",
            terminal="always",
            compared=True,
            counted="each time",
            place=20,
        ),
    )

    def contradicted(self, person: ShopperTrace, exchange: Exchange, finding: Contradiction) -> None:
        """Proved by the last cart that was shown, the way from there, and this answer."""
        why = reason_of_cart_loss(self.around, person, exchange)
        self.lose(exchange, why, [*before_loss(why, person), told(exchange)], items=finding.items)
