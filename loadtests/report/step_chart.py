"""A chart of lanes, one below the other: how much there was of something over time, drawn as steps."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import msgspec

from loadtests.report.axis import FOOT, TOP, TimeAxis, frame
from loadtests.report.drawing import AnyShape, Chart, Key, Label, Line, Region, SmallMultiples, rectangle
from loadtests.report.evidence import Story
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


class LaneChart(msgspec.Struct, frozen=True):
    """Something that is drawn in lanes, for each architecture that has it."""

    id: str
    title: str
    text: str
    """What is drawn, for a reader who sees it for the first time."""
    read: Callable[[Story], Lanes]
    """No lanes: there is nothing to draw."""
    finding: Callable[[Story, Lanes], str]
    description: str
    """What is drawn, for those who cannot see it; `highest` is put in."""
    level: str
    """What the height of a step means."""
    counted: str
    """What the table counts."""
    unit: str = ""
    missing: str = ""
    """Why some have no such chart, where that is said."""

    def of_all(self, stories: list[Story], axis: TimeAxis) -> SmallMultiples:
        """The charts, all on the scale of the highest."""
        found = [(story, lanes) for story in stories if (lanes := self.read(story))]
        highest = max((most_in(lanes) for _, lanes in found), default=0)
        charts = tuple(self._chart(story, lanes, axis, highest) for story, lanes in found)
        others = [story.name for story in stories if story.name not in {chart.of for chart in charts}]
        missing = f"Not of {', '.join(others)}: {self.missing}." if others and self.missing else ""
        return SmallMultiples(self.id, self.title, self.text, charts, missing=missing)

    def _chart(self, story: Story, lanes: Lanes, axis: TimeAxis, highest: int) -> Chart:
        bottom = TOP + LANE * len(lanes)
        shapes = frame(axis, story.faults, bottom=bottom)
        for number, (name, steps) in enumerate(lanes.items()):
            said = _most_and_last(name, steps, self.unit)
            shapes.extend(_lane(said, steps, axis, TOP + number * LANE, max(highest, 1)))
        silent = any(count < 0 for steps in lanes.values() for _, _, count in steps)
        return Chart(
            id=f"chart-{self.id}-{story.name}",
            title=self.title,
            finding=self.finding(story, lanes),
            description=self.description.format(highest=highest),
            height=bottom + FOOT,
            shapes=tuple(shapes),
            key=(Key("level held", self.level), *((Key("level silent", "the node did not answer"),) if silent else ())),
            table=_steps_table(lanes, axis, self.counted),
            css=story.css,
            of=story.name,
        )


def _lane(said: str, steps: Steps, axis: TimeAxis, top: float, highest: int) -> Iterable[AnyShape]:
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


def _steps_table(series: Lanes, axis: TimeAxis, what: str) -> Table:
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
