"""A cart: sku to quantity. It lives in the session, so these functions make new carts and never change one."""

from __future__ import annotations

from collections.abc import Mapping

from shared.shop.catalogue import price_cents

Cart = dict[str, int]

MOST_AT_ONCE = 99
MOST_OF_ONE = 999
MOST_ARTICLES = 2000


class CartFull(ValueError):
    """It holds as many different articles as a cart can."""


def add(cart: Mapping[str, int], sku: str, quantity: int) -> Cart:
    """The cart with so many more of that.

    Raises:
        CartFull: there would be more than 2,000 different articles.
        ValueError: the quantity is not 1 to 99, or there would be more than 999 of it.
    """
    if not 1 <= quantity <= MOST_AT_ONCE:
        raise ValueError(f"expected a quantity of 1 to {MOST_AT_ONCE}")
    total = cart.get(sku, 0) + quantity
    if total > MOST_OF_ONE:
        raise ValueError(f"a cart holds at most {MOST_OF_ONE} of one article")
    if sku not in cart and len(cart) >= MOST_ARTICLES:
        raise CartFull(f"a cart holds at most {MOST_ARTICLES} different articles")
    return {**cart, sku: total}


def remove(cart: Mapping[str, int], sku: str) -> Cart:
    """The cart without that."""
    return {kept: quantity for kept, quantity in cart.items() if kept != sku}


def total_cents(cart: Mapping[str, int]) -> int:
    """What the cart costs."""
    return sum(price_cents(sku) * quantity for sku, quantity in cart.items())
