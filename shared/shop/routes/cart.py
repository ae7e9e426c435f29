"""The cart."""

from __future__ import annotations

import uuid

from flask import Blueprint
from flask.typing import ResponseReturnValue

from shared.shop import cart as carts
from shared.shop import identity
from shared.shop.answers import RequestRefused, answer, done, sent_fields, text, whole_number
from shared.shop.catalogue import product_of, products_of

blueprint = Blueprint("cart", __name__)


@blueprint.get("/cart")
def show() -> ResponseReturnValue:
    """What is in it."""
    identity.current_user()
    cart = identity.current_cart()
    return answer(
        {"cart": cart},
        "cart.html",
        products=products_of(cart),
        total_cents=carts.total_cents(cart),
        new_key=uuid.uuid4().hex,  # so that an impatient double click makes one order
    )


@blueprint.post("/cart")
def add() -> ResponseReturnValue:
    """Put something in."""
    identity.current_user()
    fields = sent_fields()
    sku, quantity = text(fields, "sku"), whole_number(fields, "quantity")
    _must_exist(sku)
    try:
        cart = carts.add(identity.current_cart(), sku, quantity)
    except carts.CartFull as error:
        raise RequestRefused(400, "cart_full", str(error)) from error
    except ValueError as error:
        raise RequestRefused(400, "bad_quantity", str(error)) from error
    identity.keep_cart(cart)
    return done({"cart": cart}, f"/#{sku}")


@blueprint.delete("/cart/<sku>")
@blueprint.post("/cart/<sku>/remove")
def remove(sku: str) -> ResponseReturnValue:
    """Take it out, however many there are; no complaint if there is none."""
    identity.current_user()
    sent_fields()
    _must_exist(sku)
    cart = carts.remove(identity.current_cart(), sku)
    identity.keep_cart(cart)
    return done({"cart": cart}, "/cart")


def _must_exist(sku: str) -> None:
    if product_of(sku) is None:
        raise RequestRefused(404, "unknown_sku", "the shop sells no such thing")
