"""The balancer's cookie gets lost: cleared by hand, blocked by the browser, or older than the browser keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from loadtests.behaviours.contract import Behaviour
from loadtests.behaviours.workload import Habits, Step, draw_steps, in_between


class Forgetful(Behaviour):
    """The shop's own cookie stays."""

    name = "forgetful"
    sentence = "In the middle of the window their browsers lose the balancer's cookie, and they shop on."
    uses = frozenset({"forget_node"})

    def steps(self, chance: Random, shopper: int, habits: Habits, window_ms: int) -> Iterator[Step]:
        forgets_ms = max(window_ms // 2, habits.login_within_ms)
        return in_between(draw_steps(chance, shopper, habits), [Step(forgets_ms, "forget_node")])
