"""Logging out everywhere: what somebody does who has lost a device, or was told to change a password."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from loadtests.behaviours.contract import Behaviour
from loadtests.behaviours.workload import Habits, Step, draw_steps, probes, until

LEAVES_AT = 0.6  # of the window; what is left of it is for trying the second device
PROBES = 5


class Everywhere(Behaviour):
    """Two devices, one account; the second one only looks, so that whatever is in a cart was put there by the first."""

    name = "everywhere"
    sentence = "They use a second device, log out everywhere on the first, and the second is tried again and again."
    uses = frozenset({"logout_everywhere", "me", "cart"})
    may_leave = False

    def steps(self, chance: Random, shopper: int, habits: Habits, window_ms: int) -> Iterator[Step]:
        leaves_ms = max(int(window_ms * LEAVES_AT), habits.login_within_ms)
        for step in until(leaves_ms, draw_steps(chance, shopper, habits)):
            yield step
            if step.do == "login":
                yield Step(step.at_ms, "login", jar="second")
            elif step.do == "add":
                # At the same moment, and still after it: a step of another jar waits for the one before like any other.
                yield Step(step.at_ms, chance.choice(("cart", "me")), jar="second")
        yield Step(leaves_ms, "logout_everywhere")
        yield from probes("second", leaves_ms, window_ms, PROBES)
