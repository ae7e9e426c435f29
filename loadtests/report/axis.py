"""The time axis that all charts of a report share, and the fault bands on it."""

from __future__ import annotations

import msgspec

from loadtests.model.fault_timeline import FaultTimeline
from loadtests.report.drawing import UNITS, AnyShape, Box, Label, Line, percent
from loadtests.report.series import MOST_TOLD_BACK, what_is_marked

STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
LANE = 16
"""px for a row of fault labels."""
FOOT = 20
"""px below the plot, for the ticks' labels."""
LETTER = {"moment": 0.024, "tick": 0.018}
"""The share of a phone's width that a letter takes, bold or not: labels that would touch there get their own rows."""


class TimeAxis(msgspec.Struct, frozen=True):
    """From 0 to the last answer of any architecture, so that charts can be compared by eye."""

    end_us: int
    window_us: int
    """Where the load window ends and the last audit begins."""

    def share(self, at_us: float) -> float:
        """Where a moment lies: 0 at the left, 1 at the right."""
        return min(max(at_us / self.end_us, 0.0), 1.0)

    def unit(self, at_us: float) -> int:
        """The same in a region's units."""
        return round(self.share(at_us) * UNITS)

    def ticks(self) -> list[int]:
        """At most eight round moments, in seconds: few enough for a phone."""
        seconds = self.end_us / 1e6
        step = next((s for s in STEPS_S if seconds / s <= 7.5), STEPS_S[-1])
        return list(range(0, int(seconds) + 1, step))


def frame(axis: TimeAxis, faults: tuple[FaultTimeline, ...], *, top: float, bottom: float) -> list[AnyShape]:
    """Everything behind the data: ticks, the audit's start, fault bands with their labels in the lanes above `top`."""
    shapes: list[AnyShape] = [shape for fault in faults for shape in _band(axis, fault, top, bottom)]
    for second in axis.ticks():
        share = axis.share(second * 1e6)
        shapes.append(Line("grid", percent(share), top, percent(share), bottom))
        anchor = "start" if share < 0.02 else "end" if share > 0.97 else "middle"
        shapes.append(Label("tick", percent(share), bottom + 14, f"{second} s", anchor))
    shapes.append(Line("axis", "0%", bottom, "100%", bottom))
    if axis.window_us < axis.end_us:
        x = percent(axis.share(axis.window_us))
        shapes.append(Line("audit", x, top, x, bottom))
    shapes.extend(_labels(axis, faults))
    return shapes


def lanes(axis: TimeAxis, faults: tuple[FaultTimeline, ...]) -> float:
    """How many px the labels of the bands and of the audit need above the plot."""
    return max((shape.y for shape in _labels(axis, faults)), default=0.0) + 6


def _band(axis: TimeAxis, fault: FaultTimeline, top: float, bottom: float) -> list[AnyShape]:
    start = axis.share(fault.start_us)
    end = axis.share(fault.end_us(axis.end_us))
    shapes: list[AnyShape] = [Box("band", percent(start), top, percent(end - start), bottom - top)]
    for css, at_us in (
        ("injected", fault.injected_us),
        ("observed", fault.observed_us),
        ("healed", fault.healed_us),
        ("observed-healed", fault.observed_healed_us),
    ):
        if at_us is not None:
            x = percent(axis.share(at_us))
            shapes.append(Line(f"fault {css}", x, top, x, bottom))
    return shapes


def _labels(axis: TimeAxis, faults: tuple[FaultTimeline, ...]) -> list[Label]:
    """The words above the bands, in as many rows as it takes for none to run into the next."""
    short = len(faults) > MOST_TOLD_BACK
    words = [
        (axis.share(at_us), text, "moment") for fault in faults for at_us, text in what_is_marked(fault, short=short)
    ]
    if axis.window_us < axis.end_us:
        words.append((axis.share(axis.window_us), "audit", "tick"))
    row_ends: list[float] = []
    labels = []
    for share, text, css in sorted(words):
        width = len(text) * LETTER[css]
        anchor = "end" if share + width > 1 else "start"
        left = share - width if anchor == "end" else share
        row = next((n for n, end in enumerate(row_ends) if left >= end), len(row_ends))
        row_ends[row : row + 1] = [left + width]
        labels.append(Label(css, percent(share), 12 + row * LANE, text, anchor))
    return labels
