"""An order as it is handed up from the database, in a module of its own: SQLAlchemy takes 0.2 s to import."""

from __future__ import annotations

import msgspec


class DatabaseOrder(msgspec.Struct, frozen=True):
    """An order as the database holds it."""

    order: str
    user: str
    key: str | None
    """The idempotency key it was made with."""
    request: str
    """The request id (`X-Request-Id`) of the checkout that made it."""
    lines: dict[str, int]
    """Units by sku."""
