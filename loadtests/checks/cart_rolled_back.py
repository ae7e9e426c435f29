"""Something is back in the cart, or more of it than was ever put there."""

from loadtests.checks.contract import CartCheck
from loadtests.model.measures import Measure


class CartRolledBack(CartCheck):
    """Something is back in the cart, or more of it than was ever put there."""

    kind = "cart_rolled_back"
    rule = (
        "The cart shown holds more of an article than the shopper can have put there: a removed item is back, or an "
        "older state is shown after a newer one."
    )
    happened = "was shown an older cart"
    singular = "older cart shown"
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
