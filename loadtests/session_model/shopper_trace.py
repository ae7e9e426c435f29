"""One shopper while a history is replayed: its memory, and the few exchanges that a witness is made of."""

from __future__ import annotations

import copy

from loadtests.model.history import Exchange
from loadtests.session_model.action_kinds import KNOWS_ME, LEAVES
from loadtests.session_model.expectations import Memory
from loadtests.session_model.life import SessionLife
from shared.demo_accounts import account_name


class Person:
    """A shopper as far as the history was read."""

    __slots__ = (
        "cart", "first_out_us", "left", "left_everywhere", "life", "lingered", "login", "logouts", "memory", "out",
        "out_life", "refused", "shopper",
    )  # fmt: skip

    def __init__(self, shopper: int, life: SessionLife | None = None) -> None:
        self.shopper = shopper
        self.memory = Memory(account_name(shopper))
        self.life = life or SessionLife()
        self.login: Exchange | None = None
        """The last acknowledged login."""
        self.cart: Exchange | None = None
        """The last answer that showed the cart."""
        self.out: Exchange | None = None
        """The answer as a stranger after which no cart was shown yet."""
        self.out_life: SessionLife | None = None
        """The session that was lost with it, as it was then."""
        self.logouts = 0
        """Involuntary ones."""
        self.first_out_us = 0
        self.left: Exchange | None = None
        """The last logout, here or everywhere; None before any, and if nobody knows whether it happened."""
        self.left_everywhere: Exchange | None = None
        """The same of the logouts everywhere."""
        self.refused: Exchange | None = None
        """The last answer whose cookie was too large for a browser."""
        self.lingered: Exchange | None = None
        """The last slow page."""

    def __copy__(self) -> Person:
        """As it is now: what comes next changes only one of the two. Not of the memory, which has no part in causes."""
        other = Person(self.shopper)
        for name in Person.__slots__:
            setattr(other, name, getattr(self, name))
        other.life = copy.copy(self.life)
        return other

    @property
    def known(self) -> Exchange | None:
        """The last answer that knew this shopper; the login, if nothing came after it."""
        return self.life.known

    def lost_login(self, exchange: Exchange) -> None:
        """This answer was a stranger's, and should not have been."""
        self.first_out_us = self.first_out_us if self.logouts else exchange.done_us
        self.logouts += 1
        self.out = exchange
        self.out_life = copy.copy(self.life)

    def keep(self, exchange: Exchange) -> None:
        """Keep the exchange if a witness may need it."""
        if exchange.cookie_refused:
            self.refused = exchange
        self.life.saw(exchange)
        do = exchange.do
        if do in LEAVES:
            self._leave(exchange)
        elif exchange.outcome != "ok":
            return
        elif do == "login":
            self.login = exchange
        elif do == "linger":
            self.lingered = exchange
        elif do in KNOWS_ME and exchange.cart is not None:
            self.cart = exchange
            self.out = None

    def keep_cart(self, exchange: Exchange) -> None:
        """The same of an answer that knew the shopper and showed the cart: the common case, made fast."""
        if exchange.cookie_refused:
            self.refused = exchange
        self.life.recognised(exchange)
        self.cart = exchange
        self.out = None

    def _leave(self, exchange: Exchange) -> None:
        """An attempt of which nobody knows what became leaves open whether the session is still good."""
        left = exchange.outcome == "ok"
        self.left = exchange if left else None
        if exchange.do == "logout_everywhere":
            self.left_everywhere = self.left
        if left:
            self.out = None
