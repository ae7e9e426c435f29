"""Something is back in the cart, or more of it than was ever put there."""

from __future__ import annotations

from loadtests.checks.contract import Check
from loadtests.checks.witness import before_loss, told
from loadtests.model.history import Exchange
from loadtests.model.measures import Measure
from loadtests.session_model.carts import Contradiction
from loadtests.session_model.causes import reason_of_cart_loss
from loadtests.session_model.shopper_trace import ShopperTrace


class CartRolledBack(Check):
    """Something is back in the cart, or more of it than was ever put there."""

    kind = "cart_rolled_back"
    rule = (
        "The cart shown holds more of an article than the shopper can have put there: a removed item is back, or an "
        "older state is shown after a newer one."
    )
    happened = "was shown an older cart"
    plural = "older carts shown"
    breaks = "monotonic reads"
    field = "carts_rolled_back"
    measures = (
        Measure(
            "carts_rolled_back",
            "Times that a cart held more than any possible one: something was back.",
            lambda it: it.carts_rolled_back,
            sort="loss",
            group="Goods",
            kinds=("cart_rolled_back",),
            report="never",
            terminal="never",
            place=23,
        ),
    )

    def contradicted(self, person: ShopperTrace, exchange: Exchange, finding: Contradiction) -> None:
        """Proved by the last cart that was shown, the way from there, and this answer."""
        why = reason_of_cart_loss(self.around, person, exchange)
        self.lose(exchange, why, [*before_loss(why, person), told(exchange)], items=finding.items)
