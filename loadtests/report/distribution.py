"""The whole distribution of waits: which share of answers took longer than a time. Both axes are logarithmic."""

from __future__ import annotations

import math

from loadtests.model.results import Percentiles, Results
from loadtests.report.drawing import UNITS, AnyShape, Chart, Key, Label, Line, Region, percent, readable
from loadtests.report.evidence import Evidence
from loadtests.report.tables import Table

DECADE = 28
"""px for a factor of ten in share."""
TITLE = 18
"""px above each panel, for its name."""
FOOT = 20
GAP = 10
MOST_SHOWN = (1, 10, 100, 1_000, 10_000, 100_000)
"""One answer in so many is the smallest share that a panel can show."""


def distribution(evidence: Evidence, results: Results) -> Chart:
    """One panel for each architecture, all on the same axes."""
    answered = {name: it.latency_ms for name, it in results.architectures.items() if it.latency_ms.raw.distribution}
    every = [figures for it in answered.values() for figures in (it.raw, it.from_plan)]
    low, high = _range(every)
    decades = _decades(every)
    shapes: list[AnyShape] = []
    bottom = 0.0
    for name, waits in answered.items():
        top = bottom + TITLE
        bottom = top + decades * DECADE + GAP
        css = evidence.stories[name].css if name in evidence.stories else ""
        shapes.append(Label("track", "0%", top - 5, name))
        shapes.extend(_grid(top, decades, low, high))
        for how, figures in (("raw", waits.raw), ("from-plan", waits.from_plan)):
            path = _path(figures, low, high, decades)
            shapes.append(Region(f"tail {how} {css}", path, top, decades * DECADE))
    shapes.extend(_times(bottom - GAP, low, high))
    return Chart(
        id="chart-distribution",
        title="How many answers took longer",
        finding=_finding(results),
        description="One panel for each architecture; to the right the time in milliseconds, upwards the share of "
        "answers that took longer, both logarithmic; a solid line for raw times, a dashed one from the planned start.",
        height=bottom - GAP + FOOT,
        shapes=tuple(shapes),
        key=(Key("span raw", "raw: solid"), Key("span from-plan", "from the planned start: dashed")),
        table=_table(results),
    )


def _range(every: list[Percentiles]) -> tuple[float, float]:
    """Whole powers of ten around all bars, in ms."""
    ends = [bar.up_to_ms for figures in every for bar in figures.distribution]
    if not ends:
        return 1.0, 10.0
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
    lowest = decades * DECADE - 1
    return f"{min(lowest, 1 - math.log10(share) * DECADE) if share > 0 else lowest:.1f}".removesuffix(".0")


def _grid(top: float, decades: int, low: float, high: float) -> list[AnyShape]:
    shapes: list[AnyShape] = []
    for decade in range(decades):
        y = top + 1 + decade * DECADE
        shapes.append(Line("grid", "0%", y, "100%", y))
        shapes.append(Label("scale", "100%", y + 12, f"{10.0 ** (2 - decade):g} %", "end"))
    time_ms = low
    while time_ms <= high * 1.01:
        x = percent(_share(time_ms, low, high))
        shapes.append(Line("grid", x, top, x, top + decades * DECADE))
        time_ms *= 10
    return shapes


def _times(bottom: float, low: float, high: float) -> list[AnyShape]:
    shapes: list[AnyShape] = []
    time_ms = low
    while time_ms <= high * 1.01:
        share = _share(time_ms, low, high)
        anchor = "start" if share < 0.02 else "end" if share > 0.98 else "middle"
        shapes.append(Label("tick", percent(share), bottom + 14, f"{time_ms:g} ms", anchor))
        time_ms *= 10
    return shapes


def _finding(results: Results) -> str:
    answered = {name: it.latency_ms for name, it in results.architectures.items() if it.latency_ms.raw.count}
    if not answered:
        return "No planned action was answered."
    slowest = max(answered, key=lambda name: answered[name].from_plan.p99_9)
    waits = answered[slowest]
    return (
        f"The slowest answer in a thousand took {readable(waits.from_plan.p99_9)} ms or longer from its planned "
        f"start, in {slowest}; counted from its sending, {readable(waits.raw.p99_9)} ms."
    )


def _table(results: Results) -> Table:
    """How many answers each bar holds."""
    counts: dict[float, dict[str, int]] = {}
    heads = []
    for name, result in results.architectures.items():
        for how, figures in (("raw", result.latency_ms.raw), ("from the plan", result.latency_ms.from_plan)):
            heads.append(f"{name}, {how}")
            for bar in figures.distribution:
                counts.setdefault(bar.up_to_ms, {})[heads[-1]] = bar.count
    rows = tuple(
        (f"{up_to_ms:g}", *(f"{found.get(head, 0):,}" for head in heads)) for up_to_ms, found in sorted(counts.items())
    )
    return Table(("up to, ms", *heads), rows, "Answers that took up to so long, and longer than the row above.")
