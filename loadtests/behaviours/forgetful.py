"""The balancer's cookie gets lost: cleared by hand, blocked by the browser, or older than the browser keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from loadtests.behaviours.contract import Behaviour
from loadtests.behaviours.workload import Habits, Step, draw_steps


class Forgetful(Behaviour):
    """The shop's own cookie stays."""

    name = "forgetful"
    sentence = "In the middle of the window their browsers lose the balancer's cookie, and they shop on."
    uses = frozenset({"forget_node"})

    def steps(self, chance: Random, shopper: int, habits: Habits, window_ms: int) -> Iterator[Step]:
        """Shopping, and the cookie goes once."""
        forgets_ms, forgotten = max(window_ms // 2, habits.login_within_ms), False
        for step in draw_steps(chance, shopper, habits):
            if not forgotten and step.at_ms >= forgets_ms and step.do != "login":
                forgotten = True
                yield Step(forgets_ms, "forget_node")
            yield step
