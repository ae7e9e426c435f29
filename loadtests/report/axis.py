"""The time axis that all charts of a report share, and the fault bands on it; and what their key says of the bands."""

import msgspec

from loadtests.faults.words import victim_in_words, what_was_done
from loadtests.model.fault_timeline import FaultTimeline
from loadtests.report.drawing import UNITS, AnyShape, Box, Label, Line, percent
from loadtests.report.evidence import Story

STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
FOOT = 20
"""px below the plot, for the ticks' labels."""
TOP = 4
"""px above it."""
MOST_MARKED = 8
"""So many words for the fault bands; more faults are told further down."""
MOST_TOLD_BACK = 3
"""With more faults than these, charts say when each struck, and only draw when it was over."""


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
        words.append((fault.observed_healed_us, f"{victim_in_words(fault.victim)} back"))
    elif fault.healed_us is not None:
        words.append((fault.healed_us, f"{victim_in_words(fault.victim)} healed (not seen)"))
    return words


def _moments(first_us: int, last_us: int) -> str:
    first, last = f"{first_us / 1e6:.1f}", f"{last_us / 1e6:.1f}"
    return f"{first} s" if first == last else f"{first} to {last} s"
