"""What happened, side by side: the same chart of each architecture, on one time axis and one scale."""

from __future__ import annotations

import msgspec

from loadtests.faults.words import in_words, what_was_done
from loadtests.model.fault_timeline import FaultTimeline
from loadtests.model.results import Results
from loadtests.report.axis import TimeAxis
from loadtests.report.drawing import SmallMultiples
from loadtests.report.evidence import Evidence, Story
from loadtests.report.lane_charts import ANSWERS, BYTES, MEMORY, SESSIONS
from loadtests.report.shopper_timelines import strips
from loadtests.report.timeline import timelines

MOST_MARKED = 8
"""So many words for the fault bands; more faults are told further down."""

MOST_TOLD_BACK = 3
"""With more faults than these, charts say when each struck, and only draw when it was over."""


class SideBySide(msgspec.Struct, frozen=True):
    """All charts that have a time axis."""

    who: SmallMultiples
    when: tuple[SmallMultiples, ...]
    folded: tuple[SmallMultiples, ...]
    bands: tuple[str, ...]
    """What the shaded bands are, and when: "n2 killed at 5.0 s"."""


def side_by_side(evidence: Evidence, results: Results) -> SideBySide:
    """The charts of all architectures that were measured."""
    axis = TimeAxis(evidence.end_us, evidence.window_us)
    measured = [(evidence.stories[name], result) for name, result in results.architectures.items()]
    stories = [story for story, _ in measured]
    sessions, answers, memory, sent = (it.of_all(stories, axis) for it in (SESSIONS, ANSWERS, MEMORY, BYTES))
    # Answers unfold where they are the only ones that tell nodes apart.
    folded = (answers, memory, sent) if sessions.charts else (memory, sent)
    return SideBySide(
        who=SmallMultiples(
            "strips",
            "Every shopper, one row each",
            "From left to right in time, by the node that served them when the fault came, or last.",
            tuple(strips(story, result, axis) for story, result in measured),
        ),
        when=(timelines(stories, axis, evidence.bucket_us), sessions if sessions.charts else answers),
        folded=tuple(it for it in folded if it.charts),
        bands=bands_of(stories),
    )


def bands_of(stories: list[Story]) -> tuple[str, ...]:
    """Each thing that charts mark once, with the times at which it came in one architecture or another."""
    times: dict[str, list[int]] = {}
    for story in stories:
        short = len(story.faults) > MOST_TOLD_BACK
        for fault in story.faults:
            for at_us, text in _marked(fault, short=short):
                times.setdefault(text, []).append(at_us)
    told = [f"{text} at {_moments(min(at), max(at))}" for text, at in times.items()]
    return (*told[:MOST_MARKED], *((f"and {len(told) - MOST_MARKED} more",) if len(told) > MOST_MARKED else ()))


def _marked(fault: FaultTimeline, *, short: bool) -> list[tuple[int, str]]:
    """What the key says of a fault that was injected, and when (us); `short`: only what was done."""
    seen = "" if fault.observed_us is not None else " (not seen)"
    done = what_was_done(fault.kind, fault.victim)
    words = [(fault.start_us, done + seen)]
    if short or fault.stays:
        return words
    if fault.observed_healed_us is not None:
        words.append((fault.observed_healed_us, f"{in_words(fault.victim)} back"))
    elif fault.healed_us is not None:
        words.append((fault.healed_us, f"{in_words(fault.victim)} healed (not seen)"))
    return words


def _moments(first_us: int, last_us: int) -> str:
    first, last = f"{first_us / 1e6:.1f}", f"{last_us / 1e6:.1f}"
    return f"{first} s" if first == last else f"{first} to {last} s"
