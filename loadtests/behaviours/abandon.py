"""Sessions that nobody ever comes back to: what a shop collects in weeks, in some seconds."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from loadtests.behaviours.contract import Behaviour
from loadtests.behaviours.workload import Basket, Habits, Step, moments

ADDS = 3  # in each session, before it is abandoned


class Abandon(Behaviour):
    """A later planned login begins with an empty jar: the same account, another visit, another session."""

    name = "abandon"
    sentence = "They log in, add a few articles, are never seen again, and come back as if for the first time."
    uses = frozenset({"login", "add"})
    may_leave = False

    def steps(self, chance: Random, shopper: int, habits: Habits, window_ms: int) -> Iterator[Step]:
        for number, at_ms in enumerate(moments(chance, shopper, habits)):
            if number % (ADDS + 1) == 0:
                basket = Basket(chance, habits.mix)  # the cart of the session before is out of their reach
                yield Step(int(at_ms), "login")
            else:
                yield basket.add(int(at_ms))
