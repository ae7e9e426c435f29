"""One shopper while a history is replayed: its memory, and the few exchanges that a witness is made of."""

from __future__ import annotations

import copy
from sys import intern

import msgspec
from msgspec.structs import replace

from loadtests.model.history import ENDS_SESSION, NEEDS_LOGIN, Exchange, StoredOrder
from loadtests.session_model.carts import Cart, lacking
from loadtests.session_model.expectations import ExpectedSession
from loadtests.session_model.life import SessionLife
from loadtests.session_model.timeline import RunTimeline
from shared.demo_accounts import account_name


class AcknowledgedOrder(msgspec.Struct, frozen=True):
    """An order that the shop acknowledged, or may have made, and what it must hold."""

    exchange: Exchange
    cart: Cart | None
    """The cart that was ordered; None if several were possible."""
    shown: Exchange | None = None
    """The answer that last showed that cart, where it may say why the order lacks some of it: another request
    overlapped it, or nodes were of several versions. Else None: nobody keeps one answer more of each of millions of
    orders without need."""

    def kept_by(self, order: StoredOrder) -> bool:
        """That stored order is the one that was acknowledged."""
        exchange = self.exchange
        same_key = not order.key or not exchange.key or order.key == exchange.key
        return order.order == exchange.order and order.user == account_name(exchange.shopper) and same_key

    def missing(self, order: StoredOrder) -> int:
        """Units that were in the cart and are not in the order."""
        return lacking(self.cart or {}, order.lines)

    def extra(self, order: StoredOrder) -> int:
        """Units that are in the order and were not in the cart."""
        return 0 if self.cart is None else lacking(order.lines, self.cart)


def packed(exchange: Exchange, cart: Cart | None, shown: Exchange | None = None) -> AcknowledgedOrder:
    """The promise of this checkout; `shown`: the last answer with the cart, if it may be asked for.

    What many of them say, names of nodes and articles, they hold together. Without what nobody asks of a promise: when
    it was due, which step of the plan it is, and how many bytes went about.
    """
    kept = replace(
        exchange, architecture=intern(exchange.architecture), node=intern(exchange.node), user=intern(exchange.user),
        planned_us=0, step=-1, cookie_bytes=0, body_bytes=0,
    )  # fmt: skip
    return AcknowledgedOrder(kept, None if cart is None else _packed_lines(cart), shown)


def packed_order(order: StoredOrder, promise: AcknowledgedOrder | None) -> StoredOrder:
    """The same order; what it says as the checkout did that made it, it holds together with that."""
    it = None if promise is None else promise.exchange
    known = {} if it is None else {each: each for each in (it.request, it.order, it.key)}
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


def _packed_lines(lines: Cart) -> Cart:
    return {intern(sku): units for sku, units in lines.items()}


class ShopperTrace:
    """A shopper as far as the history was read."""

    __slots__ = (
        "cart", "first_out_us", "left", "left_everywhere", "left_life", "life", "lingered", "login", "logouts",
        "memory", "out", "out_life", "refused", "seen_by_audit", "shopper",
    )  # fmt: skip

    def __init__(self, shopper: int, run: RunTimeline) -> None:
        application = run.application
        self.shopper = shopper
        self.memory = ExpectedSession(
            account_name(shopper), in_account=application is not None and application.in_account
        )
        self.life = SessionLife(run)
        self.login: Exchange | None = None
        """The last acknowledged login."""
        self.cart: Exchange | None = None
        """The last answer that showed the cart."""
        self.out: Exchange | None = None
        """The answer as a stranger after which no cart was shown yet."""
        self.out_life: SessionLife | None = None
        """The session that was lost with it, as it was then."""
        self.seen_by_audit = False
        """The audit got an answer that knew this shopper, or that did not."""
        self.logouts = 0
        """Involuntary ones."""
        self.first_out_us: int | None = None
        """When the first of them was."""
        self.left: Exchange | None = None
        """The last logout, here or everywhere; None before any, and if nobody knows whether it happened."""
        self.left_everywhere: Exchange | None = None
        """The same of the logouts everywhere."""
        self.left_life: SessionLife | None = None
        """The session that was logged out of last, as it was then; None if it was lost before that."""
        self.refused: Exchange | None = None
        """The last answer whose cookie was too large for a browser."""
        self.lingered: Exchange | None = None
        """The last slow page."""

    def __copy__(self) -> ShopperTrace:
        """As it is now: what comes next changes only one of the two. Not of the memory, which has no part in causes."""
        other = ShopperTrace.__new__(ShopperTrace)
        for name in ShopperTrace.__slots__:
            setattr(other, name, getattr(self, name))
        other.life = copy.copy(self.life)
        return other

    @property
    def undecided(self) -> bool:
        """Nobody knows whether this shopper is still logged in: nobody could look at the end."""
        logged_in = self.life.known is not None and self.memory.logged_in
        return logged_in and not self.logouts and not self.seen_by_audit

    def lost_login(self, exchange: Exchange) -> None:
        """This answer was a stranger's, and should not have been."""
        # The first one counts for "before the fault"; who is out already can be out again.
        if not self.logouts:
            self.first_out_us = exchange.done_us
        self.logouts += 1
        self.out = exchange
        # A copy: the next login begins a new life in the same object.
        self.out_life = copy.copy(self.life)

    def keep(self, exchange: Exchange) -> None:
        """Keep the exchange if a witness may need it."""
        if exchange.cookie_refused:
            self.refused = exchange
        if exchange.kept_from:  # no shop was asked: it shows nothing of this shopper's session
            self.life.kept = exchange if exchange.kept_session else self.life.kept
            return
        do = exchange.do
        if do in ENDS_SESSION:
            # Before the life hears of it, which has no session then.
            out, known = self.out, self.life.known
            lost = out is not None and (known is None or known.done_us <= out.done_us)
            self.left_life = None if lost else copy.copy(self.life)
        self.life.saw(exchange)
        if do in ENDS_SESSION:
            self._leave(exchange)
        elif exchange.outcome != "ok":
            return
        elif do == "login":
            self.login = exchange
        elif do == "linger":
            self.lingered = exchange
        elif do in NEEDS_LOGIN and exchange.cart is not None:
            self._showed(exchange)

    def keep_cart(self, exchange: Exchange) -> None:
        """The same of an answer that knew the shopper and showed the cart: the common case, made fast."""
        if exchange.cookie_refused:
            self.refused = exchange
        self.life.recognised(exchange)
        self.cart = exchange
        if self.out is not None:
            self._showed(exchange)

    def _showed(self, exchange: Exchange) -> None:
        self.cart = exchange
        # What was asked beside the request that met a stranger's answer, and answered later, is of the session before.
        if self.out is not None and exchange.sent_us >= self.out.done_us:
            self.out = None

    def _leave(self, exchange: Exchange) -> None:
        """An attempt of which nobody knows what became leaves open whether the session is still good."""
        left = exchange.outcome == "ok"
        self.left = exchange if left else None
        if exchange.do == "logout_everywhere":
            self.left_everywhere = self.left
        if left:
            self.out = None
