"""A node's clock is behind by seconds: what others sign is from the future for it."""

from __future__ import annotations

from compose.changes import Trouble
from compose.cluster import Limits
from loadtests.faults.bases import Troubles
from loadtests.faults.clock_ahead import CLOCK_AHEAD, CLOCK_BEHIND, LOOK_TAKES_S, ahead_s, clock_in_words
from loadtests.faults.contract import Evidence, Target
from loadtests.faults.effects import Effect, FaultMarks, clock_off

BEHIND_S = 5


class ClockBehind(Troubles):
    """Five seconds, as without time synchronisation."""

    kind = "clock-behind"
    colour = "#3d7fb0"
    doing = "Setting back the clock of"
    done = "behind its time"
    button = "Clock behind"
    causes = (CLOCK_AHEAD, CLOCK_BEHIND)
    sentence = f"A node's clock goes {BEHIND_S} s behind all others, as far as sessions read it."
    trouble = Trouble(clock_ahead_s=-BEHIND_S)

    def observe(self, target: Target) -> Evidence | None:
        """The time that it tells is behind ours."""
        ahead = ahead_s(target)
        return (clock_in_words(target, ahead),) if ahead is not None and ahead <= LOOK_TAKES_S - BEHIND_S else None

    def observe_healed(self, target: Target) -> Evidence | None:
        """The time that it tells is ours."""
        ahead = ahead_s(target)
        return (clock_in_words(target, ahead),) if ahead is not None and abs(ahead) <= LOOK_TAKES_S else None

    def effects(self, marks: FaultMarks, limits: Limits) -> tuple[Effect, ...]:
        """Its clock is off until it is healed."""
        return clock_off(marks, -BEHIND_S)
