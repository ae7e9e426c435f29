"""A cart: sku to quantity. It lives in the session, so these functions make new carts and never change one."""

from __future__ import annotations

from collections.abc import Mapping

from shared.shop.catalogue import BY_SKU

Cart = dict[str, int]

MOST_AT_ONCE = 99
MOST_OF_ONE = 999


def add(cart: Mapping[str, int], sku: str, quantity: int) -> Cart:
    """The cart with so many more of that.

    Raises:
        ValueError: the quantity is not 1 to 99, or there would be more than 999 of it.
    """
    if not 1 <= quantity <= MOST_AT_ONCE:
        raise ValueError(f"expected a quantity of 1 to {MOST_AT_ONCE}")
    total = cart.get(sku, 0) + quantity
    if total > MOST_OF_ONE:
        raise ValueError(f"a cart holds at most {MOST_OF_ONE} of one article")
    return {**cart, sku: total}


def remove(cart: Mapping[str, int], sku: str) -> Cart:
    """The cart without that."""
    return {kept: quantity for kept, quantity in cart.items() if kept != sku}


def total_cents(cart: Mapping[str, int]) -> int:
    """What the cart costs."""
    return sum(BY_SKU[sku].price_cents * quantity for sku, quantity in cart.items())
