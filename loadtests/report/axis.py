"""The time axis that all charts of a report share, and the fault bands on it."""

from __future__ import annotations

import msgspec

from loadtests.model.fault_timeline import FaultTimeline
from loadtests.report.drawing import UNITS, AnyShape, Box, Label, Line, percent

STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
FOOT = 20
"""px below the plot, for the ticks' labels."""
TOP = 4
"""px above it."""


class TimeAxis(msgspec.Struct, frozen=True):
    """From 0 to the last answer of any architecture, so that charts can be compared by eye."""

    end_us: int
    window_us: int
    """Where the load window ends and the last audit begins."""

    def share(self, at_us: float) -> float:
        """Where a moment lies: 0 at the left, 1 at the right."""
        # Held to the chart: an event of the start, or of the stopping, is before its zero or after its end.
        return min(max(at_us / self.end_us, 0.0), 1.0)

    def unit(self, at_us: float) -> int:
        """The same in a region's units."""
        return round(self.share(at_us) * UNITS)

    def ticks(self) -> list[int]:
        """At most six round moments, in seconds: few enough for a quarter of a page."""
        seconds = self.end_us / 1e6
        step = next((s for s in STEPS_S if seconds / s <= 5.5), STEPS_S[-1])  # five steps, and the 0 before them
        return list(range(0, int(seconds) + 1, step))


def frame(axis: TimeAxis, faults: tuple[FaultTimeline, ...], *, bottom: float) -> list[AnyShape]:
    """Everything behind the data, from `TOP` to `bottom`: ticks, the audit's start, fault bands.

    Without words for the bands: they are the same in all charts that stand side by side, whose key has them.
    """
    # The bands first: what is drawn later lies above, and the ticks must be readable on them.
    shapes: list[AnyShape] = [shape for fault in faults for shape in _band(axis, fault, TOP, bottom)]
    for number, second in enumerate(axis.ticks()):
        share = axis.share(second * 1e6)
        shapes.append(Line("grid", percent(share), TOP, percent(share), bottom))
        # At the edges beside its tick, as half of the label would be cut off.
        anchor = "start" if share < 0.02 else "end" if share > 0.93 else "middle"
        css = "tick between" if number % 2 else "tick"  # half of a phone has no room for all
        shapes.append(Label(css, percent(share), bottom + 14, f"{second} s", anchor))
    shapes.append(Line("axis", "0%", bottom, "100%", bottom))
    if axis.window_us < axis.end_us:
        x = percent(axis.share(axis.window_us))
        shapes.append(Line("audit", x, TOP, x, bottom))
    return shapes


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
