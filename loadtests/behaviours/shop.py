"""What shoppers do unless a scenario says otherwise: log in and shop."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from loadtests.behaviours.contract import Behaviour
from loadtests.behaviours.workload import Habits, Step, draw_steps


class Shop(Behaviour):
    """Just shopping."""

    name = "shop"
    sentence = "They log in and shop: look around, fill and empty their carts, order."

    def steps(self, chance: Random, shopper: int, habits: Habits, window_ms: int) -> Iterator[Step]:
        return draw_steps(chance, shopper, habits)
