"""Memory over time: a lane for each node, and for each store."""

from __future__ import annotations

from loadtests.report.axis import TimeAxis
from loadtests.report.drawing import Chart, Key
from loadtests.report.series import Story
from loadtests.report.step_chart import Lanes, most_in, stacked, steps_table


def memory_used(story: Story) -> Lanes:
    """Resident memory of each part, in MiB; nothing if it was not sampled."""
    looks = [look for look in story.used if look.at_us >= 0]  # before the window is before the axis
    ends = [look.at_us for look in looks[1:]] + [story.end_us]
    nodes = story.node_names()
    parts = [part for part in nodes if any(part in look.usage for look in looks)]
    parts += sorted({part for look in looks for part in look.usage} - set(nodes))
    series = {
        part: [
            (look.at_us, max(end_us, look.at_us), round(look.usage[part].memory_bytes / 2**20))
            for look, end_us in zip(looks, ends, strict=True)
            if part in look.usage
        ]
        for part in parts
    }
    return series if most_in(series) else {}


def memory(story: Story, series: Lanes, axis: TimeAxis, highest: int) -> Chart:
    """The chart of one architecture."""
    shapes, height = stacked(series, axis, story.faults, highest, " MiB")
    return Chart(
        id=f"chart-memory-{story.name}",
        title="Memory",
        finding=_finding(series),
        description=f"One lane for each node and store: resident memory of all its processes over time; all lanes have "
        f"the same scale, up to {highest} MiB.",
        height=height,
        shapes=shapes,
        key=(Key("level held", "resident memory, in MiB; a gap: the part was dead"),),
        table=steps_table(series, axis, "MiB"),
        css=story.css,
        of=story.name,
    )


def _finding(series: Lanes) -> str:
    first = sum(steps[0][2] for steps in series.values())
    last = sum(steps[-1][2] for steps in series.values())
    return f"All parts together: {first:,} MiB at the first look, {last:,} MiB at the last."
