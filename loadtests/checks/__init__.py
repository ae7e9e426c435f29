"""The checks and the tallies: one file each, one line here each; see `checks.contract`."""

from __future__ import annotations

from loadtests.checks.cart_lost import CartLost
from loadtests.checks.cart_rolled_back import CartRolledBack
from loadtests.checks.contract import Check, Tally
from loadtests.checks.cookies_refused import CookiesRefused
from loadtests.checks.flickered import Flickered
from loadtests.checks.items_lost import ItemsLost
from loadtests.checks.logged_out import LoggedOut
from loadtests.checks.not_served import NotServed
from loadtests.checks.order_duplicated import OrderDuplicated
from loadtests.checks.order_lost import OrderLost
from loadtests.checks.over_limit import OverLimit
from loadtests.checks.rate_limited import RateLimited
from loadtests.checks.read_by_others import ReadByOthers
from loadtests.checks.server_errors import ServerErrors
from loadtests.checks.session_shared import SessionShared
from loadtests.checks.stalled import Stalled
from loadtests.checks.still_logged_in import StillLoggedIn
from loadtests.checks.streams_dropped import StreamsDropped
from loadtests.checks.streams_lost import StreamsLost
from loadtests.checks.wrong_user import WrongUser

CHECKS: tuple[type[Check], ...] = (
    LoggedOut,
    CartLost,
    ItemsLost,
    CartRolledBack,
    WrongUser,
    OrderDuplicated,
    OrderLost,
    StillLoggedIn,
    SessionShared,
)
"""They name losses."""

TALLIES: tuple[type[Tally], ...] = (
    Flickered,
    Stalled,
    NotServed,
    ServerErrors,
    StreamsDropped,
    StreamsLost,
    CookiesRefused,
    ReadByOthers,
    RateLimited,
    OverLimit,
)
"""They count what is no loss."""

__all__ = ["CHECKS", "TALLIES", "Check", "Tally"]
