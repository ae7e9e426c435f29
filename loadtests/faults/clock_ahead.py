"""A node's clock is ahead by seconds: what it signs is from the future for all others."""

import time

from compose.cluster import Limits
from loadtests.faults.bases import Troubles
from loadtests.faults.contract import Cure, Evidence, Target
from loadtests.faults.effects import ClockOff, Effect, FaultMarks
from loadtests.model.results import Cause
from shared.sessions import Injection

CLOCK_AHEAD = Cause(
    "clock_ahead", "The clock of a node is ahead: of one that wrote the session or signed the token, or read it."
)
CLOCK_BEHIND = Cause(
    "clock_behind", "The clock of a node is behind: of one that wrote the session or signed the token, or read it."
)
AHEAD_S = 5
# Between our look at our own clock and the node's at its; far less than a clock is ahead by.
LOOK_TAKES_S = 1.0


class ClockAhead(Troubles):
    """Five seconds, as without time synchronisation."""

    kind = "clock-ahead"
    colour = "#7f63ee"
    doing = "Advancing the clock of"
    done = "ahead of its time"
    causes = (CLOCK_AHEAD, CLOCK_BEHIND)
    cures: tuple[Cure, ...] = (
        Cure(
            "One node's clock is ahead, and the others refuse its tokens as being from the future.",
            "A token lives that many seconds longer.",
            "clock-ahead",
            "clock-ahead-leeway",
        ),
    )
    sentence = f"A node's clock goes {AHEAD_S} s ahead of all others, as far as sessions read it."
    trouble = Injection(clock_ahead_s=AHEAD_S)

    def observe(self, target: Target) -> Evidence | None:
        told, ahead = self.trouble.clock_ahead_s, _ahead_s(target)
        way = 1 if told > 0 else -1
        # The question takes its time, too: that much less than it was told is as good.
        if ahead is None or way * ahead < way * told - LOOK_TAKES_S:
            return None
        return (_in_words(target, ahead),)

    def observe_healed(self, target: Target) -> Evidence | None:
        ahead = _ahead_s(target)
        return (_in_words(target, ahead),) if ahead is not None and abs(ahead) <= LOOK_TAKES_S else None

    def effects(self, marks: FaultMarks, limits: Limits) -> tuple[Effect, ...]:
        seconds = self.trouble.clock_ahead_s
        word = (CLOCK_AHEAD if seconds > 0 else CLOCK_BEHIND).name
        # Off at most from the first step to the last look, surely from the first look to the healing.
        surely = marks.seen_us, marks.freed_us
        return (ClockOff(marks.since_us, marks.over_us, word, marks.victim, seconds, *surely),)


def _ahead_s(target: Target) -> float | None:
    """By how many seconds the clock that its sessions read is ahead of ours; None if it does not say."""
    state = target.cluster.state(target.victim)
    return None if state is None else (state.clock_us - time.time_ns() // 1000) / 1e6


def _in_words(target: Target, ahead: float) -> str:
    """The same, for an evidence."""
    return f"{target.victim} tells a time {ahead:+.1f} s from ours"
