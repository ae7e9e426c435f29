"""What happened, side by side: the same chart of each architecture, on one time axis and one scale."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from loadtests.model.results import ArchitectureResult
from loadtests.report.axis import TimeAxis
from loadtests.report.bytes_chart import bytes_chart, bytes_sent
from loadtests.report.drawing import Chart, SmallMultiples
from loadtests.report.evidence import Evidence
from loadtests.report.memory import memory, memory_used
from loadtests.report.series import MOST_TOLD_BACK, Story, what_is_marked
from loadtests.report.sessions_by_node import answers_by_node, answers_given, sessions_by_node, sessions_held
from loadtests.report.shopper_timelines import strips
from loadtests.report.step_chart import Lanes, most_in
from loadtests.report.timeline import in_words, most_due, timeline

MOST_MARKED = 8
"""So many words for the fault bands; more faults are told further down."""

Measured = dict[str, tuple[Story, ArchitectureResult]]
"""What was measured, by architecture, in the order of the run."""


class SideBySide(msgspec.Struct, frozen=True):
    """All charts that have a time axis."""

    who: SmallMultiples
    when: tuple[SmallMultiples, ...]
    folded: tuple[SmallMultiples, ...]
    bands: tuple[str, ...]
    """What the shaded bands are, and when: "n2 killed at 5.0 s"."""


def side_by_side(evidence: Evidence, measured: Measured) -> SideBySide:
    """The charts of these architectures."""
    axis = TimeAxis(evidence.end_us, evidence.window_us)
    stories = [story for story, _ in measured.values()]
    sessions = _sessions(stories, axis)
    answers = _lanes_of(stories, axis, lambda it: answers_given(it, evidence.bucket_us), answers_by_node)
    used = _lanes_of(stories, axis, memory_used, memory)
    sent = _lanes_of(stories, axis, lambda it: bytes_sent(it, evidence.bucket_us), bytes_chart)
    by_node = SmallMultiples("answers", "Answers by node", "How many answers each node gave.", answers)
    folded = (
        *((by_node,) if sessions else ()),  # unfolded where it is the only one that tells nodes apart
        SmallMultiples("memory", "Memory", "What nodes and stores held in memory, all their processes together.", used),
        SmallMultiples("bytes", "Bytes sent and received", "Cookies on the way there, bodies on the way back.", sent),
    )
    return SideBySide(
        who=SmallMultiples(
            "strips",
            "Every shopper, one row each",
            "From left to right in time, by the node that served them when the fault came, or last.",
            tuple(strips(story, result, axis) for story, result in measured.values()),
        ),
        when=(_when(stories, axis, evidence.bucket_us), sessions or by_node),
        folded=tuple(it for it in folded if it.charts),
        bands=bands_of(stories),
    )


def _when(stories: list[Story], axis: TimeAxis, bucket_us: int) -> SmallMultiples:
    highest = max(map(most_due, stories), default=1)
    return SmallMultiples(
        "timeline",
        "Outcome of planned actions",
        f"Bars for every {in_words(bucket_us)}, by the time for which an action was planned; the highest is "
        f"{highest:,} actions. What went wrong stands at the bottom.",
        tuple(timeline(story, axis, bucket_us, highest) for story in stories),
    )


def _sessions(stories: list[Story], axis: TimeAxis) -> SmallMultiples | None:
    """None if no node holds sessions."""
    charts = _lanes_of(stories, axis, sessions_held, sessions_by_node)
    others = [story.name for story in stories if story.name not in {chart.of for chart in charts}]
    missing = f"Not of {', '.join(others)}: their nodes hold no sessions, or were not looked at." if others else ""
    text = "How many logged-in sessions each node remembers."
    return SmallMultiples("nodes", "Sessions by node", text, charts, missing=missing) if charts else None


def _lanes_of(
    stories: list[Story],
    axis: TimeAxis,
    read: Callable[[Story], Lanes],
    draw: Callable[[Story, Lanes, TimeAxis, int], Chart],
) -> tuple[Chart, ...]:
    """The chart of each story that has such lanes, all on the scale of the highest."""
    lanes = [(story, read(story)) for story in stories]
    highest = max((most_in(series) for _, series in lanes), default=0)
    return tuple(draw(story, series, axis, highest) for story, series in lanes if series)


def bands_of(stories: list[Story]) -> tuple[str, ...]:
    """Each thing that charts mark once, with the times at which it came in one architecture or another."""
    times: dict[str, list[int]] = {}
    for story in stories:
        short = len(story.faults) > MOST_TOLD_BACK
        for fault in story.faults:
            for at_us, text in what_is_marked(fault, short=short):
                times.setdefault(text, []).append(at_us)
    told = [f"{text} at {_moments(min(at), max(at))}" for text, at in times.items()]
    return (*told[:MOST_MARKED], *((f"and {len(told) - MOST_MARKED} more",) if len(told) > MOST_MARKED else ()))


def _moments(first_us: int, last_us: int) -> str:
    first, last = f"{first_us / 1e6:.1f}", f"{last_us / 1e6:.1f}"
    return f"{first} s" if first == last else f"{first} to {last} s"
