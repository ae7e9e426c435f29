"""Bytes on the wire over time: the cookies that shoppers sent, and the bodies of the answers."""

from __future__ import annotations

from loadtests.report.axis import FOOT, TimeAxis, frame, lanes
from loadtests.report.drawing import Chart, Key
from loadtests.report.series import Story
from loadtests.report.step_chart import LANE, Steps, lane, steps_table

COUNTED_US = 500_000
"""Bytes are summed over half seconds."""
SENT, RECEIVED = "cookies sent", "bodies of answers"


def wire(story: Story, axis: TimeAxis, bucket_us: int) -> Chart | None:
    """The chart of one architecture; None if nothing was sent."""
    width_us = max(COUNTED_US, bucket_us)
    series = {
        SENT: _steps(story.cookie_bytes, bucket_us, width_us),
        RECEIVED: _steps(story.body_bytes, bucket_us, width_us),
    }
    highest = max((count for steps in series.values() for _, _, count in steps), default=0)
    if not highest:
        return None
    top = lanes(axis, story.faults) + 2
    bottom = top + LANE * len(series)
    shapes = frame(axis, story.faults, top=top, bottom=bottom)
    for number, (name, steps) in enumerate(series.items()):
        most = max((count for _, _, count in steps), default=0)
        shapes.extend(lane(f"{name} · at most {most:,} bytes", steps, axis, top + number * LANE, highest))
    sent, received = (sum(found.values()) for found in (story.cookie_bytes, story.body_bytes))
    per = "half second" if width_us == COUNTED_US else f"{width_us / 1e6:g} s"
    return Chart(
        id=f"chart-wire-{story.name}",
        title="Bytes on the wire",
        finding=f"{sent:,} bytes of cookies were sent, and {received:,} bytes of bodies came back.",
        description=f"One lane for the Cookie headers of all requests and one for the bodies of all answers, in bytes "
        f"a {per}, by the time of the answer; both have the same scale, up to {highest:,} bytes.",
        height=bottom + FOOT,
        shapes=tuple(shapes),
        key=(Key("level held", f"bytes in each {per}"),),
        table=steps_table(series, axis, "bytes"),
        css=story.css,
    )


def _steps(by_bucket: dict[int, int], bucket_us: int, width_us: int) -> Steps:
    counts: dict[int, int] = {}
    for bucket, count in by_bucket.items():
        wide = bucket * bucket_us // width_us
        counts[wide] = counts.get(wide, 0) + count
    return [(wide * width_us, (wide + 1) * width_us, count) for wide, count in sorted(counts.items())]
