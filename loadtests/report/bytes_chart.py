"""Bytes over time: the cookies that shoppers sent, and the bodies of the answers."""

from __future__ import annotations

from loadtests.report.axis import TimeAxis
from loadtests.report.drawing import Chart, Key
from loadtests.report.series import Story
from loadtests.report.step_chart import Lanes, most_in, stacked, steps_table, summed

SENT, RECEIVED = "cookies sent", "bodies"


def bytes_sent(story: Story, bucket_us: int) -> Lanes:
    """Bytes of cookies and of bodies, by half seconds; nothing if nothing was sent."""
    series = {SENT: summed(story.cookie_bytes, bucket_us), RECEIVED: summed(story.body_bytes, bucket_us)}
    return series if most_in(series) else {}


def bytes_chart(story: Story, series: Lanes, axis: TimeAxis, highest: int) -> Chart:
    """The chart of one architecture."""
    shapes, height = stacked(series, axis, story.faults, highest, " B")
    sent, received = (sum(found.values()) for found in (story.cookie_bytes, story.body_bytes))
    return Chart(
        id=f"chart-bytes-{story.name}",
        title="Bytes sent and received",
        finding=f"{sent:,} bytes of cookies were sent, and {received:,} bytes of bodies came back.",
        description=f"One lane for the Cookie headers of all requests and one for the bodies of all answers, summed "
        f"over half seconds or longer, by the time of the answer; all have the same scale, up to {highest:,} bytes.",
        height=height,
        shapes=shapes,
        key=(Key("level held", "bytes in each half second, or in each bar if it is wider"),),
        table=steps_table(series, axis, "bytes"),
        css=story.css,
        of=story.name,
    )
