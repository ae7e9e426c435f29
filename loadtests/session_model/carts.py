"""What expectations reckon with: carts that are possible, and the units of goods put into them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

import msgspec

from loadtests.model.history import Do, Exchange, shopper_of
from shared.demo_accounts import account_name

POSSIBLE_CARTS = 64
"""Beyond this many possible carts (six unknown writes in a row) the memory stops accusing until a cart is shown."""
LATE_WRITES = 8
"""How many writes that nobody answered are remembered as *may still happen*."""


class Contradiction(msgspec.Struct, frozen=True):
    """One contradiction between an answer and what had been acknowledged before."""

    kind: str
    items: int = 0
    """Units of goods that went with it."""
    unmade: Exchange | None = None
    """The unknown checkout that would explain it, had it made an order."""


Cart = dict[str, int]


@dataclass(slots=True)
class Items:
    """Units of goods by what became of them: acknowledged + gained = the sum of all others."""

    acknowledged: int = 0
    kept: int = 0
    lost: int = 0
    removed: int = 0
    ordered: int = 0
    given_up: int = 0
    undecided: int = 0
    gained: int = 0

    def balance(self) -> int:
        """Left side minus right side: 0, or the book is wrong."""
        right = self.kept + self.lost + self.removed + self.ordered + self.given_up + self.undecided
        return self.acknowledged + self.gained - right

    def add(self, other: Items) -> None:
        """Add another shopper's units to these."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


@dataclass(slots=True)
class PossibleState:
    """One possible cart, and what must have happened for it to be the true one."""

    cart: Cart
    acknowledged: int = 0
    removed: int = 0
    ordered: int = 0
    happened: dict[str, bool] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    """Units that each unknown checkout took from it, by request; never changed, as forked states share it."""

    def copy(self) -> PossibleState:
        """Another one, as yet the same."""
        return replace(self, happened=dict(self.happened))

    def enter(self, book: Items) -> None:
        """Enter into the book what happened on the way to this cart."""
        book.acknowledged += self.acknowledged
        book.removed += self.removed
        book.ordered += self.ordered

    def perhaps(self, write: Exchange) -> PossibleState | None:
        """Another one, in which a write that is unknown was done; None if that changes nothing."""
        other = self.copy()
        if not other.carry_out(write.do, write.sku, write.quantity):
            return None
        other.happened[write.request] = True
        if write.do == "checkout":
            other.taken = {**self.taken, write.request: sum(self.cart.values())}
        return other

    def carry_out(self, do: Do, sku: str, quantity: int) -> bool:
        """Do it to this cart; False if it changes nothing (a new dict is made, never the old one changed)."""
        if do == "add":
            # A new dict: forked states share the old one until they differ.
            self.cart = {**self.cart, sku: self.cart.get(sku, 0) + quantity}
            self.acknowledged += quantity
        elif do == "remember":
            # Who keeps one thing replaces what was there: that was taken out by the shopper, and is no loss.
            self.removed += sum(self.cart.values())
            self.cart = {sku: quantity}
            self.acknowledged += quantity
        elif do == "remove" and sku in self.cart:
            self.removed += self.cart[sku]
            self.cart = {other: units for other, units in self.cart.items() if other != sku}
        elif do == "checkout" and self.cart:
            self.ordered += sum(self.cart.values())
            self.cart = {}
        else:
            return False
        return True


def lacking(wanted: Cart, there: Cart) -> int:
    """Units that are wanted and not there."""
    return sum(units - there.get(sku, 0) for sku, units in wanted.items() if units > there.get(sku, 0))


def of_another(exchange: Exchange, user: str) -> tuple[Contradiction, ...]:
    """What speaks against a page that was kept on the way: it shows something, and was made for somebody else."""
    owner = account_name(shopper_of(exchange.kept_from))
    shows = exchange.user or exchange.cart is not None or exchange.orders is not None
    if exchange.jar != "main" or owner == user or not shows:
        return ()
    return (Contradiction("wrong_user"),)
