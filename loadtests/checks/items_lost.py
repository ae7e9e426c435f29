"""Something that was acknowledged is not in the cart, or did not come into the order made of it."""

from __future__ import annotations

from loadtests.checks.contract import Check
from loadtests.checks.witness import before_loss, in_database, told, units
from loadtests.model.history import Exchange, StoredOrder
from loadtests.model.measures import Measure
from loadtests.model.results import WitnessEvent
from loadtests.session_model.carts import Contradiction
from loadtests.session_model.causes import reason_of_cart_loss, reason_of_short_order
from loadtests.session_model.shopper_trace import AcknowledgedOrder, ShopperTrace


class ItemsLost(Check):
    """Read your writes, for the cart and for the order that is made of it."""

    kind = "items_lost"
    rule = (
        "The cart shown is not empty and lacks units whose adding was acknowledged; or an acknowledged order holds "
        "less, in the database, than the acknowledged cart that it was made of."
    )
    happened = "lost items from the cart"
    plural = "carts that lacked items"
    breaks = "read your writes"
    field = "items_lost"
    measures = (
        Measure(
            "items_lost",
            "Times that a cart which is not empty, or an order, lacked acknowledged units.",
            lambda it: it.items_lost,
            sort="loss",
            group="Goods",
            meaning="How often a cart that was not empty, or an order, lacked goods whose adding had been "
            "acknowledged.",
            headline="carts that lacked something",
            kinds=("items_lost",),
            report="always",
            counted="each time",
            place=21,
        ),
    )

    def contradicted(self, person: ShopperTrace, exchange: Exchange, finding: Contradiction) -> None:
        """Proved by the last cart that was shown, the way from there, and this answer."""
        why = reason_of_cart_loss(self.around, person, exchange)
        self.lose(exchange, why, [*before_loss(why, person), told(exchange)], items=finding.items)

    def promised(self, promise: AcknowledgedOrder, order: StoredOrder | None) -> None:
        """The order in the database shows the cart as the shop had it at the checkout."""
        # Another user's order under this number is a loss of another kind.
        if order is None or promise.cart is None or not promise.kept_by(order) or not promise.missing(order):
            return
        exchange = promise.exchange
        cart = WitnessEvent(exchange.sent_us / 1000, f"the acknowledged cart holds {units(promise.cart)}")
        witness = [cart, told(exchange), in_database(order, exchange.done_us / 1000)]
        self.lose(exchange, reason_of_short_order(self.around, promise), witness, items=promise.missing(order))
