"""A cookie is replayed after its owner logged out: somebody has copied it, or it was left on a public computer."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from random import Random

from loadtests.behaviours.contract import Behaviour
from loadtests.behaviours.workload import Habits, Step, draw_steps

LEAVES_AT = 0.6
"""Of the window; what is left of it is for replaying."""
PROBES = 5


class Replay(Behaviour):
    """The copy is the one of the moment before the logout was sent: the logout itself could take its cookie away."""

    name = "replay"
    sentence = "They shop and log out; then a copy of their cookies, taken just before, is tried again and again."
    uses = frozenset({"logout", "me"})
    may_leave = False

    def steps(self, chance: Random, shopper: int, habits: Habits, window_ms: int) -> Iterator[Step]:
        """Shopping, a logout, and evenly spread probes until the end."""
        leaves_ms = int(window_ms * LEAVES_AT)
        yield from takewhile(lambda step: step.do == "login" or step.at_ms < leaves_ms,
                             draw_steps(chance, shopper, habits))  # fmt: skip
        leaves_ms = max(leaves_ms, habits.login_within_ms)
        yield Step(leaves_ms, "logout")
        for number in range(1, PROBES + 1):
            at_ms = leaves_ms + (window_ms - leaves_ms) * number // (PROBES + 1)
            yield Step(at_ms, "me", jar="stolen")
