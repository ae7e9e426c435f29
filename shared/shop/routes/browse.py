"""The catalogue."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from shared.shop.answers import answer
from shared.shop.catalogue import PRODUCTS, SHELVES

blueprint = Blueprint("browse", __name__)

_LISTED = {
    "products": [{"sku": product.sku, "name": product.name, "price_cents": product.price_cents} for product in PRODUCTS]
}


@blueprint.get("/")
@blueprint.get("/products")
def products() -> ResponseReturnValue:
    """Everything there is to buy."""
    return answer(_LISTED, "products.html", shelves=SHELVES)
