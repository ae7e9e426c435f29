"""The planned actions, packed: four bytes each where the plan needs a hundred, so that a plan of millions has room.

What a step is to do is looked up by what the history says was done: equal is enough to know, and nearly all are.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from copy import copy

import numpy as np
from numpy.typing import NDArray

from loadtests.model.batch import Batch, Kind, Marks, Numbers
from loadtests.model.history import Do, Exchange, Jar
from loadtests.model.plan import Action, ShopperPlan

What = tuple[Do, str, int, Jar]
"""What is done, of which article, how many, and with whose cookies."""
Found = NDArray[np.uint8]
"""Of each exchange, what is wrong with the step that it says it is: these, added up; nothing if it was planned so."""
UNPLANNED, OTHERWISE, TWICE = 1, 2, 4
_DONE = np.uint32(1 << 31)
"""Stands in a step's number once the history has told of it."""


class Steps:
    """What each shopper is to do, step by step, and whether it stands in the history."""

    def __init__(self, people: Iterable[ShopperPlan]) -> None:
        self._kinds: dict[What, int] = {}
        steps = array("I")
        rows: dict[int, tuple[int, int]] = {}
        for person in people:
            rows[person.shopper] = len(steps), len(person.actions)
            steps.extend(map(self._kind, person.actions))
        in_order = sorted(rows)
        self._what: tuple[What, ...] = tuple(self._kinds)
        self._shoppers = np.array(in_order, np.int64)
        self._begins, self._counts = np.array([rows[who] for who in in_order], np.int64).reshape(-1, 2).T
        """Where each one's steps begin among those of all, and how many they are."""
        self._steps = np.frombuffer(steps, np.uint32)

    @property
    def planned(self) -> int:
        """How many steps there are in all."""
        return int(self._counts.sum())

    @property
    def shoppers(self) -> frozenset[int]:
        """Who is to shop."""
        return frozenset(self._shoppers.tolist())

    def afresh(self) -> Steps:
        """The same steps, with nothing ticked off."""
        other = copy(self)
        other._steps = self._steps.copy()
        return other

    def tick_off(self, batch: Batch, marks: Marks) -> Found:
        """Tick off the steps of the exchanges that are marked, in order; what is wrong with them, of the others 0."""
        found = np.zeros(len(batch), np.uint8)
        marked = np.flatnonzero(marks)
        places = self._places(batch.shopper[marked], batch.step[marked])
        found[marked[places < 0]] = UNPLANNED
        marked, places = marked[places >= 0], places[places >= 0]
        steps = self._steps[places]
        again = np.ones(len(places), np.bool_)
        again[np.unique(places, return_index=True)[1]] = False  # the first of those that are the same step
        otherwise = steps & ~_DONE != batch.number(self._kind_of)[marked]
        found[marked] = OTHERWISE * otherwise + TWICE * (again | (steps & _DONE != 0))
        self._steps[places] |= _DONE
        return found

    def problems(self, exchange: Exchange, found: int) -> list[str]:
        """What was found to be wrong with its step, in words."""
        if found & UNPLANNED:
            return ["nobody planned it"]
        problems = []
        if found & OTHERWISE:
            (place,) = self._places(np.array([exchange.shopper]), np.array([exchange.step]))
            do, sku, quantity, jar = self._what[self._steps[place] & ~_DONE]
            if do != exchange.do or sku != exchange.sku or quantity != exchange.quantity:
                problems.append(f"the plan says {do!r} {sku}".rstrip())
            else:
                problems.append(f"the plan says with jar {jar!r}, the history {exchange.jar!r}")
        if found & TWICE:
            problems.append("it stands in the history twice")
        return problems

    def _places(self, shoppers: Numbers, steps: Numbers) -> Numbers:
        """Where the steps stand among those of all; -1: nowhere."""
        if not len(self._shoppers):
            return np.full(len(steps), -1, np.int64)
        rows = np.searchsorted(self._shoppers, shoppers)
        rows[rows == len(self._shoppers)] = 0
        known = (self._shoppers[rows] == shoppers) & (steps >= 0) & (steps < self._counts[rows])
        return np.where(known, self._begins[rows] + steps, -1)

    def _kind(self, action: Action) -> int:
        return self._kinds.setdefault((action.do, action.sku, action.quantity, action.jar), len(self._kinds))

    def _kind_of(self, kind: Kind) -> int:
        return self._kinds.get((kind.do, kind.sku, kind.quantity, kind.jar), -1)
