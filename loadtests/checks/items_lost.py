"""Something that was acknowledged is not in the cart, or did not come into the order made of it."""

from loadtests.checks.contract import CartCheck
from loadtests.checks.witness import in_database, units, witness_event
from loadtests.model.history import StoredOrder
from loadtests.model.measures import Measure
from loadtests.model.results import WitnessEvent
from loadtests.session_model.causes import reason_of_short_order
from loadtests.session_model.shopper_trace import AcknowledgedOrder


class ItemsLost(CartCheck):
    """Read your writes, for the cart and for the order that is made of it."""

    kind = "items_lost"
    rule = (
        "The cart shown is not empty and lacks units whose adding was acknowledged; or an acknowledged order holds "
        "less, in the database, than the acknowledged cart that it was made of."
    )
    happened = "lost items from the cart"
    singular = "cart that lacked items"
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

    def promised(self, promise: AcknowledgedOrder, order: StoredOrder | None) -> None:
        """The order in the database shows the cart as the shop had it at the checkout."""
        # No such order, or another one's under this number, is `order_lost`; what lacks of an unknown cart is unknown.
        if order is None or promise.cart is None or not promise.kept_by(order) or not promise.missing(order):
            return
        exchange = promise.exchange
        # When the checkout was sent: its answer empties the cart.
        cart = WitnessEvent(exchange.sent_us / 1000, f"the acknowledged cart holds {units(promise.cart)}")
        witness = [cart, witness_event(exchange), in_database(order, exchange.done_us / 1000)]
        self.lose(exchange, reason_of_short_order(self.around, promise), witness, items=promise.missing(order))
