"""A node's clock is ahead by seconds: what it signs is from the future for all others."""

from __future__ import annotations

import time

from compose.changes import Trouble
from loadtests.faults.bases import Troubles
from loadtests.faults.contract import Cure, Evidence, Target
from loadtests.model.cause import Cause

CLOCK_AHEAD = Cause(
    "clock_ahead", "The token was signed by a node whose clock is ahead: for the others it comes from the future."
)
AHEAD_S = 5
LOOK_TAKES_S = 1.0
"""Between our look at our own clock and the node's at its; far less than a clock is ahead by."""


class ClockAhead(Troubles):
    """Five seconds, as without time synchronisation."""

    kind = "clock-ahead"
    colour = "#7f63ee"
    doing = "Advancing the clock of"
    done = "ahead of its time"
    button = "Clock ahead"
    explains = (("clock_ahead", CLOCK_AHEAD),)
    cures = (
        Cure(
            "One node's clock is ahead, and the others refuse its tokens as being from the future.",
            "A token lives that many seconds longer.",
            "clock-ahead",
            "clock-ahead-leeway",
        ),
    )
    sentence = f"A node's clock goes {AHEAD_S} s ahead of all others, as far as sessions read it."
    trouble = Trouble(clock_ahead_s=AHEAD_S)

    def observe(self, target: Target) -> Evidence | None:
        """The time that it tells is ahead of ours."""
        ahead_s = _ahead_s(target)
        return (_in_words(target, ahead_s),) if ahead_s is not None and ahead_s >= AHEAD_S - LOOK_TAKES_S else None

    def observe_healed(self, target: Target) -> Evidence | None:
        """The time that it tells is ours."""
        ahead_s = _ahead_s(target)
        return (_in_words(target, ahead_s),) if ahead_s is not None and abs(ahead_s) <= LOOK_TAKES_S else None


def _ahead_s(target: Target) -> float | None:
    state = target.cluster.state(target.victim)
    return None if state is None else (state.clock_us - time.time_ns() // 1000) / 1e6


def _in_words(target: Target, ahead_s: float) -> str:
    return f"{target.victim} tells a time {ahead_s:+.1f} s from ours"
