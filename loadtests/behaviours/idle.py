"""A long pause: somebody goes to lunch in the middle of shopping, and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from loadtests.behaviours.contract import Behaviour
from loadtests.behaviours.workload import Habits, Step, draw_steps

LEAVES_AT, BACK_AT = 0.35, 0.8  # of the window


class Idle(Behaviour):
    """What would have been done in the pause is not done."""

    name = "idle"
    sentence = "They shop, pause for nearly half of the window, and go on where they were."
    may_leave = False

    def steps(self, chance: Random, shopper: int, habits: Habits, window_ms: int) -> Iterator[Step]:
        back_ms, returned = int(window_ms * BACK_AT), False
        for step in draw_steps(chance, shopper, habits):
            if step.do == "login" or step.at_ms < window_ms * LEAVES_AT:
                yield step
            elif step.at_ms >= back_ms:
                if not returned:
                    returned = True
                    yield Step(step.at_ms, "cart")
                yield step
