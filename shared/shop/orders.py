"""Orders: checkout is one transaction, and one key makes one order."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.shop.cart import total_cents
from shared.shop.catalogue import price_cents
from shared.shop.database import order_lines, orders


class ShopOrder(msgspec.Struct, frozen=True):
    """An order as its owner sees it."""

    order: str
    key: str | None
    """The `Idempotency-Key` it was made with."""
    lines: dict[str, int]
    total_cents: int
    created_us: int


class Orders:
    """The orders in the database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def place(self, user: str, cart: Mapping[str, int], *, key: str | None, request: str) -> tuple[ShopOrder, bool]:
        """Order the cart; returns the order and whether it is new.

        The unique key in the database decides, not a look beforehand: two nodes may be asked at the same time.
        """
        order = ShopOrder(uuid.uuid4().hex, key, dict(cart), total_cents(cart), time.time_ns() // 1000)
        try:
            with self._engine.begin() as connection:
                connection.execute(
                    orders.insert().values(
                        order_id=order.order,
                        user=user,
                        idempotency_key=key,
                        request=request,
                        total_cents=order.total_cents,
                        created_us=order.created_us,
                    )
                )
                connection.execute(order_lines.insert(), [_line(order, sku) for sku in order.lines])
        except sa.exc.IntegrityError:
            earlier = self.with_key(user, key)
            if earlier is None:
                raise  # it was not the key that was there already
            return earlier, False
        return order, True

    def with_key(self, user: str, key: str | None) -> ShopOrder | None:
        """The user's order that was made with that key."""
        if key is None:
            return None
        found = self._read(orders.c.user == user, orders.c.idempotency_key == key)
        return found[0] if found else None

    def of(self, user: str) -> list[ShopOrder]:
        """All orders of a user, oldest first."""
        return self._read(orders.c.user == user)

    def _read(self, *which: sa.ColumnElement[bool]) -> list[ShopOrder]:
        query = (
            sa.select(orders, order_lines.c.sku, order_lines.c.quantity)
            .join(order_lines, order_lines.c.order_id == orders.c.order_id)
            .where(*which)
            # By the id as well: lines of two orders of one microsecond would come mixed.
            .order_by(orders.c.created_us, orders.c.order_id, order_lines.c.sku)
        )
        found: dict[str, ShopOrder] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(query):
                order = found.get(row.order_id)
                if order is None:
                    order = ShopOrder(row.order_id, row.idempotency_key, {}, row.total_cents, row.created_us)
                    found[row.order_id] = order
                order.lines[row.sku] = row.quantity
        return list(found.values())


def _line(order: ShopOrder, sku: str) -> dict[str, object]:
    return {"order_id": order.order, "sku": sku, "quantity": order.lines[sku], "price_cents": price_cents(sku)}
