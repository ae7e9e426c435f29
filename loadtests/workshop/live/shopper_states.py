"""The shoppers as dots: who answered each last, and whether they are in."""

from __future__ import annotations

from loadtests.model.history import Exchange
from loadtests.session_model.shopper_trace import Person
from loadtests.workshop.contract import ShopperState, ShopperView


class Crowd:
    """All shoppers of one side, from the beginning."""

    def __init__(self, shoppers: int) -> None:
        self.views: dict[int, ShopperView] = {
            number: ShopperView(number, "", "outside", hurt=False) for number in range(1, shoppers + 1)
        }
        self._changed: set[int] = set(self.views)
        self._logouts: dict[int, int] = {}

    def saw(self, exchange: Exchange, person: Person) -> None:
        """This shopper has just been answered, or not; `person` has heard of it."""
        before = self.views.get(exchange.shopper)
        if before is None or exchange.jar != "main":
            return
        node, state = exchange.node or before.node, self._state(before.state, person)
        if node != before.node or state != before.state:
            self._put(ShopperView(exchange.shopper, node, state, before.hurt))

    def hurt(self, shopper: int) -> None:
        """This shopper has lost something."""
        before = self.views.get(shopper)
        if before is not None and not before.hurt:
            self._put(ShopperView(shopper, before.node, before.state, hurt=True))

    def news(self) -> tuple[ShopperView, ...]:
        """Who has changed since the last time, in order of their numbers."""
        changed, self._changed = self._changed, set()
        return tuple(self.views[number] for number in sorted(changed))

    def _state(self, before: ShopperState, person: Person) -> ShopperState:
        if person.logouts != self._logouts.get(person.shopper, 0):
            self._logouts[person.shopper] = person.logouts
            return "shopping" if person.memory.logged_in else "logged_out"
        if person.memory.logged_in:
            return "shopping"
        return "outside" if before == "shopping" else before  # who was logged out stays so until they are in again

    def _put(self, view: ShopperView) -> None:
        self.views[view.shopper] = view
        self._changed.add(view.shopper)
