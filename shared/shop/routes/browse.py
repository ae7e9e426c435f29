"""The catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from time import sleep

from flask import Blueprint
from flask.typing import ResponseReturnValue

from shared.shop.answers import answer
from shared.shop.catalogue import PRODUCTS, SHELVES, Product
from shared.shop.counter import counter
from shared.shop.identity import current_cart

blueprint = Blueprint("browse", __name__)

_SUGGESTED = 4


def _listed(products: Iterable[Product]) -> dict[str, object]:
    return {"products": [{"sku": each.sku, "name": each.name, "price_cents": each.price_cents} for each in products]}


_LISTED = _listed(PRODUCTS)  # once: it is the same for everybody


@blueprint.get("/")
@blueprint.get("/products")
def products() -> ResponseReturnValue:
    """Everything there is to buy."""
    return answer(_LISTED, "products.html", shelves=SHELVES)


@blueprint.get("/recommendations")
def recommendations() -> ResponseReturnValue:
    """The slow page: it looks at your cart, and then thinks about it for a while.

    Its session was opened before that and is saved after it: with a refresh on each request, as it was before.
    """
    cart = current_cart()
    suggested = [product for product in PRODUCTS if product.sku not in cart][:_SUGGESTED]
    sleep(counter().settings.slow_page_ms / 1000)
    return answer(_listed(suggested), "recommendations.html", suggested=suggested)
