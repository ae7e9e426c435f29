"""Orders that were promised, and those that the database held: kept to the end of a history, so kept small."""

from __future__ import annotations

from sys import intern

import msgspec
from msgspec.structs import replace

from loadtests.model.history import Exchange, StoredOrder
from loadtests.session_model.expectations import Cart
from shared.demo_accounts import account_name


class Promise(msgspec.Struct, frozen=True):
    """An order that the shop acknowledged, or may have made, and what it must hold."""

    exchange: Exchange
    cart: Cart | None
    """The cart that was ordered; None if several were possible."""

    def kept_by(self, order: StoredOrder) -> bool:
        """That stored order is the one that was acknowledged."""
        exchange = self.exchange
        same_key = not order.key or not exchange.key or order.key == exchange.key
        return order.order == exchange.order and order.user == account_name(exchange.shopper) and same_key

    def missing(self, order: StoredOrder) -> int:
        """Units that were in the cart and are not in the order."""
        return sum(max(0, units - order.lines.get(sku, 0)) for sku, units in (self.cart or {}).items())

    def extra(self, order: StoredOrder) -> int:
        """Units that are in the order and were not in the cart."""
        if self.cart is None:
            return 0
        return sum(max(0, units - self.cart.get(sku, 0)) for sku, units in order.lines.items())


def packed(exchange: Exchange, cart: Cart | None) -> Promise:
    """The promise of this checkout. What many of them say, names of nodes and articles, they hold together.

    Without what nobody asks of a promise: when it was due, which step of the plan it is, and how many bytes went about.
    """
    kept = replace(
        exchange, architecture=intern(exchange.architecture), node=intern(exchange.node), user=intern(exchange.user),
        planned_us=0, step=-1, cookie_bytes=0, body_bytes=0,
    )  # fmt: skip
    return Promise(kept, None if cart is None else _packed_lines(cart))


def packed_order(order: StoredOrder, promise: Promise | None) -> StoredOrder:
    """The same order; what it says as the checkout did that made it, it holds together with that."""
    known = {} if promise is None else {each: each for each in _said(promise.exchange)}
    cart = promise.cart if promise else None
    return replace(
        order,
        architecture=intern(order.architecture),
        order=known.get(order.order, order.order),
        user=intern(order.user),
        request=known.get(order.request, order.request),
        key=known.get(order.key, order.key),
        lines=cart if cart is not None and cart == order.lines else _packed_lines(order.lines),
    )


def _said(exchange: Exchange) -> tuple[str, str, str]:
    return exchange.request, exchange.order, exchange.key


def _packed_lines(lines: Cart) -> Cart:
    return {intern(sku): units for sku, units in lines.items()}
