"""One chart a measure: each block's value as a dot, a row for each architecture, with the mean and its interval."""

import math
from collections import Counter
from collections.abc import Sequence

from loadtests.campaigns.repeats.compare import counts_of, extent
from loadtests.campaigns.repeats.repeats import Block, Comparison, Interval, Repeats, definition
from loadtests.model.measures import spoken
from loadtests.report.drawing import AnyShape, Chart, Key, Label, Line, Mark, percent
from loadtests.report.shell import side
from loadtests.report.tables import Table

TOP, HEADING, FOOT = 6, 33, 20  # px: above all, for the two lines of words of a row, below all
DOT = 7  # px from one dot to the next above it, where blocks came to the same
MOST_STACKED = 8  # a pile grows no higher: its dots are drawn closer
MARGIN = 0.02  # half of a dot at 0 or at the end would stand outside
STEPS = (1, 2, 2.5, 5, 10, 20, 25, 50)  # round numbers, in tenths of the largest power of ten within the span
MOST_TICKS = 6


def dots(repeats: Repeats, measure: str) -> Chart:
    """The chart of that measure."""
    rows = counts_of(repeats.asked, repeats.blocks, measure)
    means = repeats.means.get(measure, {})
    ends = [end for mean in means.values() for end in (mean.low, mean.high) if end is not None]
    low, high, ticks = _axis([*ends, *(value for values in rows.values() for value in values)])
    shapes: list[AnyShape] = []
    top = float(TOP)
    for name, values in rows.items():
        drawn, top = _row(name, values, means.get(name), top, low, high)
        shapes += drawn
    grid: list[AnyShape] = []
    for tick in ticks:
        x = percent(_share(tick, low, high))
        # The words at the ends grow inwards: centred, half of them would be cut off.
        anchor = "start" if tick == ticks[0] else "end" if tick == ticks[-1] else "middle"
        grid += [Line("grid", x, TOP, x, top), Label("tick", x, top + 14, f"{tick:g}", anchor)]
    told = [each for each in repeats.comparisons if each.measure == measure]
    return Chart(
        id=f"chart-{measure}",
        title=f"{spoken(measure).capitalize()}, block by block",
        finding=_finding(told),
        description=f"{definition(measure)} A row for each architecture: a dot for each block, piled up where blocks "
        "came to the same; a diamond at the mean; a line for its 95 % interval, where there is one.",
        height=top + FOOT,
        shapes=(*grid, *shapes),
        key=(
            Key("m-circle", "one block: one fault"),
            Key("m-diamond", "mean of the faults"),
            Key("span raw", "95 % interval of the mean"),
        ),
        table=_table(repeats, measure),
    )


def _row(
    name: str, values: Sequence[float], mean: Interval | None, top: float, low: float, high: float
) -> tuple[list[AnyShape], float]:
    """The row, and where the next one begins."""
    css = side(name)
    if mean is None:
        words = [Label("track", "0%", top + 13, name), Label("scale", "0%", top + 28, "no fault that counts")]
        return list(words), top + HEADING + DOT
    piled = Counter(values)
    pile = max(piled.values(), default=1)
    step = DOT * min(1.0, MOST_STACKED / pile)
    base = top + HEADING + step * pile + 2
    text = f"{mean.mean:.4g} per fault ({extent(mean, len(values))})"
    shapes: list[AnyShape] = [Label("track", "0%", top + 13, name), Label("scale", "0%", top + 28, text)]
    shapes += [
        Mark(f"mark {css}", "m-circle", percent(_share(value, low, high)), base - step * number)
        for value, count in sorted(piled.items())
        for number in range(count)
    ]
    under = base + 11
    if mean.low is not None and mean.high is not None:
        ends = percent(_share(mean.low, low, high)), percent(_share(mean.high, low, high))
        shapes.append(Line(f"span raw {css}", ends[0], under, ends[1], under))
    shapes.append(Mark(f"mark {css}", "m-diamond", percent(_share(mean.mean, low, high)), under))
    return shapes, under + 14


def _axis(values: Sequence[float]) -> tuple[float, float, list[float]]:
    """From a round number below all values to one above, and at most seven round numbers; always with 0."""
    low, high = min((*values, 0.0)), max((*values, 0.0))
    if low == high:  # all are 0: a span of nothing cannot be divided
        high = low + 1
    span = high - low
    size = 10.0 ** (math.floor(math.log10(span)) - 1)
    step = next(each * size for each in STEPS if span / (each * size) <= MOST_TICKS)
    first, last = int(low // step), -int(-high // step)  # down, and up
    return first * step, last * step, [number * step for number in range(first, last + 1)]


def _share(value: float, low: float, high: float) -> float:
    return MARGIN + (1 - 2 * MARGIN) * (value - low) / (high - low)


def _finding(told: Sequence[Comparison]) -> str:
    if len(told) == 1:
        (one,) = told
        if one.difference is None:
            return f"{one.first} and {one.second}: not comparable."
        return (
            f"{one.first} minus {one.second}: {one.difference.mean:+.4g} per fault "
            f"({extent(one.difference, one.faults)}): {one.word}."
        )
    words = Counter(each.word for each in told)
    differ = words["larger"] + words["smaller"]
    same, refused = words["no difference shown"], words["not comparable"]
    parts = [f"{differ} of {len(told)} pairs differ"]
    parts += [f"{same} show no difference"] if same else []
    parts += [f"{refused} are not comparable"] if refused else []
    return ", ".join(parts) + "."


def _table(repeats: Repeats, measure: str) -> Table:
    names = repeats.asked.architectures
    rows = tuple(
        (str(block.number), str(block.seed), " → ".join(block.order), *(plain_cell(block, it, measure) for it in names))
        for block in repeats.of_kind("fault")
    )
    return Table(("block", "seed", "order", *names), rows)


def plain_cell(block: Block, name: str, measure: str) -> str:
    """What the block came to, and whether it counts."""
    shot = block.shot(name)
    value = shot.values.get(measure) if shot else None
    return "–" if value is None else f"{value:.4g}{' (not counted)' if shot and shot.doubt else ''}"
