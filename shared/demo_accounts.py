"""The demo accounts, user-0001 … : shopper number N of a run uses account number N. And an order of theirs.

In a module of its own: whoever has SQLAlchemy imported waits 0.2 s for it.
"""

import msgspec


def account_name(number: int) -> str:
    """The user name of that account, counted from 1."""
    return f"user-{number:04d}"


def account_number(user: str) -> int:
    """The number of the account with that user name; 0 if it is none of them."""
    number = user.removeprefix("user-")
    # Written anew and compared: user-1 and user-00001 are none of them.
    return int(number) if number.isdecimal() and account_name(int(number)) == user else 0


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
