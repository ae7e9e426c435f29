"""An acknowledged cart is shown empty."""

from loadtests.checks.contract import CartCheck
from loadtests.model.measures import Measure


class CartLost(CartCheck):
    """An acknowledged cart is shown empty."""

    kind = "cart_lost"
    rule = "The cart shown is empty (but for what this very request added), and something was certainly in it."
    happened = "lost the whole cart"
    singular = "cart lost whole"
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
