"""Somebody looks at a shopper's cookies: on a shared computer, in a log, in a browser's extension."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from loadtests.behaviours.contract import Behaviour
from loadtests.behaviours.workload import Habits, Step, draw_steps, in_between


class Overlooked(Behaviour):
    """Nothing is asked of the shop for it, so the shop cannot notice."""

    name = "overlooked"
    sentence = "In the middle of the window somebody copies their cookies and reads what can be read without a key."
    uses = frozenset({"read_cookie"})

    def steps(self, chance: Random, shopper: int, habits: Habits, window_ms: int) -> Iterator[Step]:
        looks_ms = max(window_ms // 2, habits.login_within_ms)
        return in_between(draw_steps(chance, shopper, habits), [Step(looks_ms, "read_cookie", jar="stolen")])
