"""The whole distribution of waits: which share of answers took longer than a time. Both axes are logarithmic."""

import math

from loadtests.model.results import Latency, Percentiles, Results
from loadtests.report.drawing import (
    UNITS,
    AnyShape,
    Chart,
    Key,
    Label,
    Line,
    Region,
    SmallMultiples,
    percent,
    three_digits,
)
from loadtests.report.evidence import Evidence
from loadtests.report.tables import Table

DECADE = 28
"""px for a factor of ten in share."""
TOP, FOOT = 4, 20
MOST_SHOWN = (1, 10, 100, 1_000, 10_000, 100_000)
"""One answer in so many is the smallest share that a panel can show."""


def distribution(evidence: Evidence, results: Results) -> SmallMultiples:
    """A chart for each architecture, all on the same axes; none if nothing was answered."""
    answered = {name: it.latency_ms for name, it in results.architectures.items() if it.latency_ms.raw.distribution}
    every = [figures for it in answered.values() for figures in (it.raw, it.from_plan)]
    axes = (*_range(every), _decades(every))
    return SmallMultiples(
        "distribution",
        "How many answers took longer",
        "Upwards the share of answers that took longer than the time to the right; both axes are logarithmic.",
        tuple(_chart(name, waits, evidence.stories[name].css, *axes) for name, waits in answered.items()),
        timed=False,
    )


def _chart(name: str, waits: Latency, css: str, low: float, high: float, decades: int) -> Chart:
    bottom = TOP + decades * DECADE
    shapes: list[AnyShape] = _grid(decades, low, high)
    for how, figures in (("raw", waits.raw), ("from-plan", waits.from_plan)):
        shapes.append(Region(f"tail {how} {css}", _path(figures, low, high, decades), TOP, decades * DECADE))
    shapes.extend(_times(bottom, low, high))
    return Chart(
        id=f"chart-distribution-{name}",
        title="How many answers took longer",
        finding=_finding(waits),
        description="To the right the time in milliseconds, upwards the share of answers that took longer, both "
        "logarithmic; a solid line for raw times, a dashed one from the planned start.",
        height=bottom + FOOT,
        shapes=tuple(shapes),
        key=(Key("span raw", "raw: solid"), Key("span from-plan", "from the planned start: dashed")),
        table=_table(waits),
        css=css,
        of=name,
    )


def _range(every: list[Percentiles]) -> tuple[float, float]:
    """Whole powers of ten around all bars, in ms."""
    ends = [bar.up_to_ms for figures in every for bar in figures.distribution]
    if not ends:
        return 1.0, 10.0
    # A bar begins at 79 % of its end (the tenth root of 10 below it). And a power of ten that is a hair too large, as
    # floats are, must not open a decade in which nothing is.
    return 10 ** math.floor(math.log10(min(ends) * 0.79)), 10 ** math.ceil(math.log10(max(ends)) - 1e-9)


def _decades(every: list[Percentiles]) -> int:
    most = max((figures.count for figures in every), default=1)
    return max(1, sum(shown < most for shown in MOST_SHOWN))


def _share(time_ms: float, low: float, high: float) -> float:
    return math.log(min(max(time_ms, low), high) / low) / math.log(high / low)


def _path(figures: Percentiles, low: float, high: float, decades: int) -> str:
    """Steps: within a bar nobody knows better than that its answers took up to its end."""
    left = figures.count
    path = f"M0 {_y(1.0, decades)}"
    for bar in figures.distribution:
        left -= bar.count
        path += f"H{round(_share(bar.up_to_ms, low, high) * UNITS)}V{_y(left / figures.count, decades)}"
    return path


def _y(share: float, decades: int) -> str:
    lowest = decades * DECADE - 1  # a share of 0 has no logarithm: the line ends at the foot
    return f"{min(lowest, 1 - math.log10(share) * DECADE) if share > 0 else lowest:.1f}".removesuffix(".0")


def _grid(decades: int, low: float, high: float) -> list[AnyShape]:
    shapes: list[AnyShape] = []
    for decade in range(decades):
        y = TOP + 1 + decade * DECADE
        shapes.append(Line("grid", "0%", y, "100%", y))
        shapes.append(Label("scale", "100%", y + 12, f"{10.0 ** (2 - decade):g} %", "end"))
    for time_ms in _powers(low, high):
        x = percent(_share(time_ms, low, high))
        shapes.append(Line("grid", x, TOP, x, TOP + decades * DECADE))
    return shapes


def _powers(low: float, high: float) -> list[float]:
    """Of ten, from the one to the other."""
    return [low * 10**power for power in range(round(math.log10(high / low)) + 1)]


def _times(bottom: float, low: float, high: float) -> list[AnyShape]:
    shapes: list[AnyShape] = []
    for time_ms in _powers(low, high):
        share = _share(time_ms, low, high)
        anchor = "start" if share < 0.02 else "end" if share > 0.98 else "middle"
        words = f"{time_ms:g} ms" if time_ms < 1000 else f"{time_ms / 1000:g} s"
        shapes.append(Label("tick", percent(share), bottom + 14, words, anchor))
    return shapes


def _finding(waits: Latency) -> str:
    return (
        f"The slowest in a thousand took {three_digits(waits.from_plan.p99_9)} ms or longer from its planned start; "
        f"from its sending, {three_digits(waits.raw.p99_9)} ms."
    )


def _table(waits: Latency) -> Table:
    """How many answers each bar holds."""
    counts: dict[float, dict[str, int]] = {}
    heads = ("raw", "from the plan")
    for how, figures in zip(heads, (waits.raw, waits.from_plan), strict=True):
        for bar in figures.distribution:
            counts.setdefault(bar.up_to_ms, {})[how] = bar.count
    rows = tuple(
        (f"{up_to_ms:g}", *(f"{found.get(head, 0):,}" for head in heads)) for up_to_ms, found in sorted(counts.items())
    )
    return Table(("up to, ms", *heads), rows, "Answers that took up to so long, and longer than the row above.")
