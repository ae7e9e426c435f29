"""Somebody has copied the shopper's cookies and goes on with them, while the shopper shops on and knows nothing."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from loadtests.behaviours.contract import Behaviour
from loadtests.behaviours.workload import Habits, Step, draw_steps

STEALS_AT, TRIES = 0.3, 8
"""Of the window; and how often the copy is used after that, evenly spread."""


class Thief(Behaviour):
    """The copy takes what cookies come: a thief keeps a session alive as its owner does."""

    name = "thief"
    sentence = f"They shop on, and somebody who copied all their cookies goes on with them, {TRIES} times."
    uses = frozenset({"read_cookie", "me"})
    pace = 1.5
    may_leave = False

    def steps(self, chance: Random, shopper: int, habits: Habits, window_ms: int) -> Iterator[Step]:
        """Shopping, one copy, and its uses in between."""
        steals_ms = max(int(window_ms * STEALS_AT), habits.login_within_ms)
        theirs = [Step(steals_ms, "read_cookie", jar="thief")]
        for number in range(1, TRIES + 1):
            at_ms = steals_ms + (window_ms - steals_ms) * number // (TRIES + 1)
            theirs.append(Step(at_ms, "me", jar="thief"))
        for step in draw_steps(chance, shopper, habits):
            while theirs and theirs[0].at_ms <= step.at_ms and step.do != "login":
                yield theirs.pop(0)
            yield step
