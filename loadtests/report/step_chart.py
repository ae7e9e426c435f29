"""A lane: how much there was of something over time, drawn as steps. Several, one below the other, make a chart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from loadtests.model.fault_timeline import FaultTimeline
from loadtests.report.axis import FOOT, TOP, TimeAxis, frame
from loadtests.report.drawing import AnyShape, Label, Line, Region, rectangle
from loadtests.report.tables import Table

LANE = 52
"""px a lane, of which the highest bar takes all but HEAD."""
HEAD = 18
MOST_ROWS = 40

Steps = list[tuple[int, int, int]]
"""(from, to, how many) in microseconds; -1: nobody could say."""
Lanes = dict[str, Steps]
"""By what is said in front of each lane."""

MOST_STEPS = 300
"""Of a lane: a long run's charts are no larger than others'."""
SUMMED_US = 500_000
"""Answers and bytes are summed over half seconds, or over the charts' buckets where these are wider."""


def summed(by_bucket: Mapping[int, int], bucket_us: int) -> Steps:
    """What was counted by bucket of that width, as steps."""
    width_us = max(SUMMED_US, bucket_us)
    counts: Counter[int] = Counter()
    for bucket, count in by_bucket.items():
        counts[bucket * bucket_us // width_us] += count
    return [(wide * width_us, (wide + 1) * width_us, count) for wide, count in sorted(counts.items())]


def most_in(lanes: Lanes) -> int:
    """The highest step of all; 0 if there is none."""
    return max((count for steps in lanes.values() for _, _, count in steps), default=0)


def stacked(
    lanes: Lanes, axis: TimeAxis, faults: tuple[FaultTimeline, ...], highest: int, unit: str = ""
) -> tuple[tuple[AnyShape, ...], float]:
    """All lanes, one below the other, on a scale up to `highest`; and how high they are together."""
    bottom = TOP + LANE * len(lanes)
    shapes = frame(axis, faults, bottom=bottom)
    for number, (name, steps) in enumerate(lanes.items()):
        shapes.extend(lane(_most_and_last(name, steps, unit), steps, axis, TOP + number * LANE, max(highest, 1)))
    return tuple(shapes), bottom + FOOT


def lane(said: str, steps: Steps, axis: TimeAxis, top: float, highest: int) -> Iterable[AnyShape]:
    """One lane, with what is said of it."""
    room = LANE - HEAD
    steps = _thinned(steps)
    held = _outline([(axis.unit(a), axis.unit(b), max(count, 0) / highest * room) for a, b, count in steps])
    # A strip at the foot: how high it was, nobody knows.
    silent = "".join(rectangle(axis.unit(a), LANE - 7, axis.unit(b), LANE) for a, b, count in steps if count < 0)
    if held:
        yield Region("level held", held, top, LANE)
    if silent:
        yield Region("level silent", silent, top, LANE)
    yield Line("axis", "0%", top + LANE, "100%", top + LANE)
    yield Label("group", "0%", top + 14, said)


def _thinned(steps: Steps) -> Steps:
    """Of too many steps, several become one, as high as the highest; what nobody could say stays so."""
    several = -(-len(steps) // MOST_STEPS)
    if several <= 1:
        return steps
    thinned: Steps = []
    for number, (start, end, count) in enumerate(steps):
        before = thinned[-1] if number % several and thinned else None
        # Only steps that touch and were both seen: a gap must not be drawn over, nor silence be taken for a height.
        if before is not None and before[1] == start and before[2] >= 0 and count >= 0:
            thinned[-1] = (before[0], end, max(before[2], count))
        else:
            thinned.append((start, end, count))
    return thinned


def _most_and_last(name: str, steps: Steps, unit: str) -> str:
    most = max((count for _, _, count in steps), default=0)
    last = steps[-1][2] if steps else 0
    return f"{name}: up to {max(most, 0):,}{unit}, end {max(last, 0):,}"


def _outline(steps: list[tuple[int, int, float]]) -> str:
    """One closed line around each run of steps that touch; steps of height 0 end a run."""
    path = ""
    end = None
    for left, right, height in steps:
        if not height:
            continue
        # A gap closes the outline and begins another, so that it stays a gap.
        if left != end:
            path += f"V{LANE}ZM{left} {LANE}" if path else f"M{left} {LANE}"
        path += f"V{LANE - height:.1f}H{right}"
        end = right
    return path + f"V{LANE}Z" if path else ""


def steps_table(series: Lanes, axis: TimeAxis, what: str) -> Table:
    """All lanes as numbers, at round times."""
    # Whole half seconds, rounded up (the floor of what is negative is a ceiling): at most MOST_ROWS of them.
    step_us = -(-axis.end_us // MOST_ROWS // 500_000) * 500_000 or 500_000
    rows = []
    for at_us in range(0, axis.end_us, step_us):
        cells = [_at(steps, at_us) for steps in series.values()]
        rows.append((f"{at_us / 1e6:.1f} s", *cells))
    return Table(("at", *(f"{node}: {what}" for node in series)), tuple(rows), "–: no answer, or nothing to count.")


def _at(steps: Steps, at_us: int) -> str:
    return next((str(count) for start, end, count in steps if start <= at_us < end and count >= 0), "–")
