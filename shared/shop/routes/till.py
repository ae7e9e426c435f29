"""The till: checkout and orders."""

from __future__ import annotations

import msgspec
from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from shared.shop import identity
from shared.shop.answers import RequestRefused, answer, done, sent_fields
from shared.shop.catalogue import products_of
from shared.shop.counter import counter
from shared.shop.orders import ShopOrder
from shared.shop.visit import current_visit

blueprint = Blueprint("till", __name__)

_LONGEST_KEY = 255


@blueprint.post("/checkout")
def checkout() -> ResponseReturnValue:
    """Order the cart. The same key by the same user: the same order, however often and at whichever node.

    Unless the shop was told to know nothing of keys: then each time is an order, as in shops that never heard of them.
    """
    user, key = identity.current_user(), _key()
    if not counter().settings.idempotency_keys:
        key = None
    cart = identity.current_cart()
    order, new = counter().orders.with_key(user, key), False
    if order is None:
        if not cart:
            raise RequestRefused(400, "empty_cart", "there is nothing in the cart")
        order, new = counter().orders.place(user, cart, key=key, request=current_visit().id)
    # Asked again with the very cart that was ordered: the first answer, which emptied it, never arrived.
    if new or cart == order.lines:
        identity.keep_cart({})
    return done(_told(order), f"/orders#{order.order}", status=201 if new else 200)


@blueprint.get("/orders")
def orders() -> ResponseReturnValue:
    """What I have ordered, oldest first."""
    mine = counter().orders.of(identity.current_user())
    return answer(
        {"orders": [_told(order) for order in mine]},
        "orders.html",
        orders=list(reversed(mine)),
        products=products_of(sku for order in mine for sku in order.lines),
    )


def _told(order: ShopOrder) -> dict[str, object]:
    told: dict[str, object] = msgspec.structs.asdict(order)
    del told["created_us"]
    return told


def _key() -> str | None:
    """The idempotency key, from the header or, for a person, from the form."""
    header = request.headers.get("Idempotency-Key")
    key = (sent_fields().get("key") or None) if header is None else header
    if key is None:
        return None
    # The node's server hands over a header that is not ASCII as an empty one: a promise that could not be kept.
    if not isinstance(key, str) or not 1 <= len(key) <= _LONGEST_KEY or not key.isprintable():
        raise RequestRefused(400, "bad_key", f"expected an Idempotency-Key of 1 to {_LONGEST_KEY} printable characters")
    return key
