"""The catalogue and the cart."""

import uuid
from collections.abc import Iterable
from time import sleep

from flask import Blueprint
from flask.typing import ResponseReturnValue

from shared.shop import catalogue, identity
from shared.shop.answers import RequestRefused, answer, done, sent_fields, text, whole_number
from shared.shop.counter import counter

blueprint = Blueprint("goods", __name__)

_SUGGESTED = 4


def _listed(products: Iterable[catalogue.Product]) -> dict[str, object]:
    return {"products": [{"sku": each.sku, "name": each.name, "price_cents": each.price_cents} for each in products]}


_LISTED = _listed(catalogue.PRODUCTS)  # once: it is the same for everybody


@blueprint.get("/")
@blueprint.get("/products")
def products() -> ResponseReturnValue:
    """Everything there is to buy."""
    return answer(_LISTED, "products.html", shelves=catalogue.SHELVES)


@blueprint.get("/recommendations")
def recommendations() -> ResponseReturnValue:
    """The slow page: it looks at your cart, and then thinks about it for a while.

    Its session was opened before that and is saved after it: with a refresh on each request, as it was before.
    """
    cart = identity.current_cart()
    suggested = [product for product in catalogue.PRODUCTS if product.sku not in cart][:_SUGGESTED]
    sleep(counter().settings.slow_page_ms / 1000)
    return answer(_listed(suggested), "recommendations.html", suggested=suggested)


@blueprint.get("/cart")
def show() -> ResponseReturnValue:
    """What is in it."""
    identity.current_user()
    cart = identity.current_cart()
    return answer(
        {"cart": cart},
        "cart.html",
        products=catalogue.products_of(cart),
        total_cents=catalogue.total_cents(cart),
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
        cart = catalogue.added(identity.current_cart(), sku, quantity)
    except catalogue.CartFull as error:
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
    cart = catalogue.without(identity.current_cart(), sku)
    identity.keep_cart(cart)
    return done({"cart": cart}, "/cart")


def _must_exist(sku: str) -> None:
    if catalogue.product_of(sku) is None:
        raise RequestRefused(404, "unknown_sku", "the shop sells no such thing")
