"""The planned actions, packed: four bytes each where the plan needs a hundred, so that a plan of millions has room.

What a step is to do is looked up by what the history says was done: equal is enough to know, and nearly all are.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from copy import copy

from loadtests.model.history import Do, Exchange, Jar
from loadtests.model.plan import Action, ShopperPlan

What = tuple[Do, str, int, Jar]
"""What is done, of which article, how many, and with whose cookies."""
_DONE = 1 << 31
"""Stands in a step's number once the history has told of it."""


class Steps:
    """What each shopper is to do, step by step, and whether it stands in the history."""

    def __init__(self, people: Iterable[ShopperPlan]) -> None:
        self._kinds: dict[What, int] = {}
        self._by_shopper = {person.shopper: array("I", map(self._kind, person.actions)) for person in people}
        self._what: tuple[What, ...] = tuple(self._kinds)
        self.planned = sum(map(len, self._by_shopper.values()))
        """How many steps there are in all."""

    @property
    def shoppers(self) -> frozenset[int]:
        """Who is to shop."""
        return frozenset(self._by_shopper)

    def afresh(self) -> Steps:
        """The same steps, with nothing ticked off."""
        other = copy(self)
        other._by_shopper = {shopper: row[:] for shopper, row in self._by_shopper.items()}
        return other

    def tick_off(self, exchange: Exchange) -> Sequence[str]:
        """Tick off the step that this exchange says it is; what is wrong with it, in words: mostly nothing."""
        row, step = self._by_shopper.get(exchange.shopper), exchange.step
        if row is None or not 0 <= step < len(row):
            return ("nobody planned it",)
        planned = row[step]
        row[step] = planned | _DONE
        if planned == self._kinds.get((exchange.do, exchange.sku, exchange.quantity, exchange.jar)):
            return ()
        problems = []
        do, sku, quantity, jar = self._what[planned & ~_DONE]
        if do != exchange.do or sku != exchange.sku or quantity != exchange.quantity:
            problems.append(f"the plan says {do!r} {sku}".rstrip())
        elif jar != exchange.jar:
            problems.append(f"the plan says with jar {jar!r}, the history {exchange.jar!r}")
        if planned & _DONE:
            problems.append("it stands in the history twice")
        return problems

    def _kind(self, action: Action) -> int:
        return self._kinds.setdefault((action.do, action.sku, action.quantity, action.jar), len(self._kinds))
