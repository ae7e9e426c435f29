"""An acknowledged order is not in the database."""

from loadtests.checks.contract import Check
from loadtests.checks.witness import in_database, witness_event
from loadtests.model.history import StoredOrder
from loadtests.model.measures import Measure
from loadtests.session_model.causes import Reason, reason_of_another_name
from loadtests.session_model.shopper_trace import AcknowledgedOrder
from shared.demo_accounts import account_name


class OrderLost(Check):
    """What was promised is not there."""

    kind = "order_lost"
    rule = (
        "A checkout was acknowledged with an order's number, and after the run the database holds no order of that "
        "number made by that shopper with that key."
    )
    happened = "lost an order"
    singular = "order lost"
    plural = "orders lost"
    field = "orders_lost"
    measures = (
        Measure(
            "orders_lost",
            "Acknowledged orders that the database does not hold.",
            lambda it: it.orders_lost,
            sort="loss",
            group="Goods",
            kinds=("order_lost",),
            report="never",
            terminal="never",
            place=46,
        ),
    )

    def promised(self, promise: AcknowledgedOrder, order: StoredOrder | None) -> None:
        """Proved by the acknowledgement and by what the database holds in its place."""
        if order is not None and promise.kept_by(order):
            return
        exchange = promise.exchange
        witness = [witness_event(exchange), in_database(order, exchange.done_us / 1000)]
        # Under another's name it has causes that can be seen; why it is nowhere, nothing tells.
        others = order is not None and order.user != account_name(exchange.shopper)
        why = reason_of_another_name(self.around, None, exchange) if others else Reason()
        self.lose(exchange, why, witness, items=sum((promise.cart or {}).values()))
