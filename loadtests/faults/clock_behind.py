"""A node's clock is behind by seconds: what others sign is from the future for it."""

from loadtests.faults.clock_ahead import ClockAhead
from shared.sessions import Injection

BEHIND_S = 5


class ClockBehind(ClockAhead):
    """Five seconds, as without time synchronisation."""

    kind = "clock-behind"
    colour = "#3d7fb0"
    doing = "Setting back the clock of"
    done = "behind its time"
    cures = ()  # the same leeway cures it; the scenarios that show that are of a clock that is ahead
    sentence = f"A node's clock goes {BEHIND_S} s behind all others, as far as sessions read it."
    trouble = Injection(clock_ahead_s=-BEHIND_S)
