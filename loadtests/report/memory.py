"""Memory over time: a lane for each node, and for each store."""

from __future__ import annotations

from loadtests.report.axis import FOOT, TimeAxis, frame, lanes
from loadtests.report.drawing import Chart, Key
from loadtests.report.series import Story
from loadtests.report.step_chart import LANE, Steps, lane, most_and_last, steps_table


def memory(story: Story, axis: TimeAxis) -> Chart | None:
    """The chart of one architecture; None if its memory was not sampled."""
    series = _series(story)
    highest = max((count for steps in series.values() for _, _, count in steps), default=0)
    if not highest:
        return None
    top = lanes(axis, story.faults) + 2
    bottom = top + LANE * len(series)
    shapes = frame(axis, story.faults, top=top, bottom=bottom)
    for number, (part, steps) in enumerate(series.items()):
        shapes.extend(lane(most_and_last(part, steps, " MiB"), steps, axis, top + number * LANE, highest))
    return Chart(
        id=f"chart-memory-{story.name}",
        title="Memory",
        finding=_finding(series),
        description=f"One lane for each node and store: resident memory of all its processes over time; all lanes have "
        f"the same scale, up to {highest} MiB.",
        height=bottom + FOOT,
        shapes=tuple(shapes),
        key=(Key("level held", "resident memory, in MiB; a gap: the part was dead"),),
        table=steps_table(series, axis, "MiB"),
        css=story.css,
    )


def _series(story: Story) -> dict[str, Steps]:
    looks = [look for look in story.used if look.at_us >= 0]
    ends = [look.at_us for look in looks[1:]] + [story.end_us]
    nodes = story.node_names()
    parts = [part for part in nodes if any(part in look.usage for look in looks)]
    parts += sorted({part for look in looks for part in look.usage} - set(nodes))
    return {
        part: [
            (look.at_us, max(end_us, look.at_us), round(look.usage[part].memory_bytes / 2**20))
            for look, end_us in zip(looks, ends, strict=True)
            if part in look.usage
        ]
        for part in parts
    }


def _finding(series: dict[str, Steps]) -> str:
    first = sum(steps[0][2] for steps in series.values())
    last = sum(steps[-1][2] for steps in series.values())
    return f"All parts together: {first:,} MiB when they were first looked at, {last:,} MiB when they were last."
