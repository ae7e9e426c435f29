"""The checks: one file each, one line here each. They read the history and name losses; see `checks.contract`."""

from __future__ import annotations

from loadtests.checks.cart_lost import CartLost
from loadtests.checks.cart_rolled_back import CartRolledBack
from loadtests.checks.contract import Check
from loadtests.checks.items_lost import ItemsLost
from loadtests.checks.logged_out import LoggedOut
from loadtests.checks.order_duplicated import OrderDuplicated
from loadtests.checks.order_lost import OrderLost
from loadtests.checks.wrong_user import WrongUser

CHECKS: tuple[type[Check], ...] = (
    LoggedOut,
    CartLost,
    ItemsLost,
    CartRolledBack,
    WrongUser,
    OrderDuplicated,
    OrderLost,
)

__all__ = ["CHECKS", "Check"]
