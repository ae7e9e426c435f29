"""One checkout made two orders."""

from loadtests.checks.contract import Check
from loadtests.checks.witness import in_database, witness_event
from loadtests.model.history import Exchange, StoredOrder
from loadtests.model.measures import Measure
from loadtests.model.results import Cause, Loss
from loadtests.session_model.causes import reason_of_second_order
from loadtests.session_model.circumstances import Circumstances
from shared.demo_accounts import account_number

KEY_IGNORED = Cause("key_ignored", "The shop made a second order for an idempotency key that it had already seen.")


class OrderDuplicated(Check):
    """Two orders of one request, or of one user with one idempotency key."""

    kind = "order_duplicated"
    rule = "The database holds a second order of the same request, or of the same user with the same idempotency key."
    happened = "got two orders from one checkout"
    singular = "order made twice"
    plural = "orders made twice"
    field = "orders_duplicated"
    causes = (KEY_IGNORED,)
    measures = (
        Measure(
            "orders_duplicated",
            "Second orders of one checkout in the database.",
            lambda it: it.orders_duplicated,
            sort="loss",
            group="Goods",
            label="Orders made twice",
            meaning="Second orders of one checkout, in the database. Also among the other losses.",
            headline="orders made twice",
            kinds=("order_duplicated",),
            counted="each time",
            place=45,
        ),
    )

    def __init__(self, around: Circumstances) -> None:
        super().__init__(around)
        self._of_request: dict[str, tuple[StoredOrder, Exchange | None]] = {}
        self._of_key: dict[str, dict[str, tuple[StoredOrder, Exchange | None]]] = {}
        """By user and key."""

    def stored(self, order: StoredOrder, checkout: Exchange | None) -> None:
        """Proved by the checkouts, as far as the shopper knows of them, and by the two orders."""
        this = (order, checkout)  # one object: that `setdefault` gives back another one is the finding
        key = order.key or (checkout.key if checkout else "")  # a shop that ignores keys does not store them either
        # By the request first: it proves that something sent it twice, whatever the shop makes of keys.
        first = self._of_request.setdefault(order.request, this) if order.request else this
        if first is not this:
            self._accuse(first, this, "request_repeated")
        elif key and (first := self._of_key.setdefault(order.user, {}).setdefault(key, this)) is not this:
            self._accuse(first, this, KEY_IGNORED.name)

    def _accuse(
        self, first: tuple[StoredOrder, Exchange | None], second: tuple[StoredOrder, Exchange | None], cause: str
    ) -> None:
        asked = sorted((made for _, made in (first, second) if made is not None), key=lambda made: made.done_us)
        last = asked[-1] if asked else None
        # The database knows no time of ours: the later answer is when a shopper could have seen it.
        at_ms = last.done_us / 1000 if last else 0.0
        # By request, as both orders may be of one that the balancer sent twice.
        checkouts = [witness_event(made) for made in {made.request: made for made in asked}.values()]
        orders = [in_database(order, at_ms) for order, _ in (first, second)]
        proof = tuple(event for event in [*checkouts, *orders] if event is not None)
        # Where the history knows neither request, only the order's own user says whose they are.
        shopper = last.shopper if last else account_number(second[0].user)
        units = sum(second[0].lines.values())
        why = reason_of_second_order(self.around, cause, asked)
        node = last.node if last else ""
        # Not by `lose`, which wants an exchange that shows it: there may be none.
        self.losses.append(
            Loss(self.kind, shopper, at_ms, node, why.cause, proof, units, why.because, why.counterfactual)
        )
