"""The demo accounts, user-0001 … : shopper number N of a run uses account number N."""

from __future__ import annotations


def account_name(number: int) -> str:
    """The user name of that account, counted from 1."""
    return f"user-{number:04d}"


def account_number(user: str) -> int:
    """The number of the account with that user name; 0 if it is none of them."""
    number = user.removeprefix("user-")
    # Written anew and compared: user-1 and user-00001 are none of them.
    return int(number) if number.isdecimal() and account_name(int(number)) == user else 0
