"""Logging out everywhere: what somebody does who has lost a device, or was told to change a password."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from loadtests.behaviours.contract import Behaviour
from loadtests.behaviours.workload import Habits, Step, draw_steps

LEAVES_AT = 0.6
PROBES = 5


class Everywhere(Behaviour):
    """Two devices, one account; the second one only looks, so that whatever is in a cart was put there by the first."""

    name = "everywhere"
    sentence = "They use a second device, log out everywhere on the first, and the second is tried again and again."
    uses = frozenset({"logout_everywhere", "me", "cart"})
    may_leave = False

    def steps(self, chance: Random, shopper: int, habits: Habits, window_ms: int) -> Iterator[Step]:
        """Shopping on both, one logout, and evenly spread probes until the end."""
        leaves_ms = max(int(window_ms * LEAVES_AT), habits.login_within_ms)
        second_logged_in = False
        for step in draw_steps(chance, shopper, habits):
            if step.do != "login" and step.at_ms >= leaves_ms:
                break
            yield step
            if not second_logged_in:
                second_logged_in = True
                yield Step(step.at_ms, "login", jar="second")
            elif step.do == "add":
                yield Step(step.at_ms, chance.choice(("cart", "me")), jar="second")
        yield Step(leaves_ms, "logout_everywhere")
        for number in range(1, PROBES + 1):
            at_ms = leaves_ms + (window_ms - leaves_ms) * number // (PROBES + 1)
            yield Step(at_ms, "me", jar="second")
