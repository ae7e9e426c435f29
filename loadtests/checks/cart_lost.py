"""An acknowledged cart is shown empty."""

from __future__ import annotations

from loadtests.checks.contract import Check
from loadtests.checks.witness import before_loss, told
from loadtests.history import Exchange
from loadtests.judging.causes import cause_of_cart_loss
from loadtests.judging.memory import Finding
from loadtests.judging.person import Person


class CartLost(Check):
    """An acknowledged cart is shown empty."""

    kind = "cart_lost"
    rule = "The cart shown is empty (but for what this very request added), and something was certainly in it."

    def contradicted(self, person: Person, exchange: Exchange, finding: Finding) -> None:
        """Proved by the last cart that was shown, the way from there, and this answer."""
        witness = [*before_loss(self.scene, person, exchange), told(exchange)]
        self.lose(exchange, cause_of_cart_loss(self.scene, person, exchange), witness, items=finding.items)
