"""Latency: raw (from being sent) and from the planned start, which does not leave out a freeze. A logarithmic axis."""

import math

from loadtests.model.results import Latency, Percentiles, Results
from loadtests.report.drawing import AnyShape, Chart, Key, Label, Line, Mark, percent, three_digits
from loadtests.report.evidence import Evidence
from loadtests.report.tables import Table

ROW = 50
"""px an architecture: its name and numbers, then both tracks."""
RAW_Y, FROM_PLAN_Y = 24, 37
"""px below the row's top."""
TOP = 6
FOOT = 20
TIGHT = 3
"""A tick nearer to the last one than this factor: on a telephone their letters would overlap."""
ROUND_MS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000)


def latency(evidence: Evidence, results: Results) -> Chart:
    """One chart of all architectures."""
    waits = {name: result.latency_ms for name, result in results.architectures.items()}
    low, high = _range([figures for it in waits.values() for figures in (it.raw, it.from_plan) if figures.count])
    bottom = TOP + ROW * len(waits)
    shapes: list[AnyShape] = []
    for value in ROUND_MS:
        if low <= value <= high:
            x = _x(value, low, high)
            anchor = "start" if value == low else "end" if value == high else "middle"
            shapes.append(Line("grid", x, TOP, x, bottom))
            # 5, 50, 500 stand close before a power of ten, on a logarithmic axis.
            tight = f"{value:g}".strip("0.") == "5" or value * TIGHT > high
            css = "tick between" if anchor == "middle" and tight else "tick"  # for phones
            shapes.append(Label(css, x, bottom + 14, f"{value:g} ms", anchor))
    for number, (name, it) in enumerate(waits.items()):
        top = TOP + number * ROW
        css = evidence.stories[name].css
        shapes.append(Label("track", "0%", top + 13, name))
        shapes.append(Label("scale", "100%", top + 13, _p95(it), "end"))
        shapes.extend(_track(f"raw {css}", it.raw, top + RAW_Y, low, high))
        shapes.extend(_track(f"from-plan {css}", it.from_plan, top + FROM_PLAN_Y, low, high))
    return Chart(
        id="chart-latency",
        title="Response time",
        finding=_finding(results),
        description="Two tracks for each architecture, all on one logarithmic axis in milliseconds: raw and from the "
        "planned start; on each a circle at the median, a square at the 95th and a diamond at the 99th percentile.",
        height=bottom + FOOT,
        shapes=tuple(shapes),
        key=(
            Key("m-circle", "half of the answers were faster (median, p50)"),
            Key("m-square", "95 of 100 were (p95)"),
            Key("m-diamond", "99 of 100 were (p99)"),
            Key("span raw", "raw, from the sending of the request: filled, solid line"),
            Key("span from-plan", "from the planned start: hollow, dashed line"),
        ),
        table=_table(results),
    )


def _range(all_figures: list[Percentiles]) -> tuple[float, float]:
    lowest = min((figures.p50 for figures in all_figures), default=1.0)
    highest = max((figures.p99 for figures in all_figures), default=100.0)
    low = max((value for value in ROUND_MS if value <= lowest), default=ROUND_MS[0])
    high = min((value for value in ROUND_MS if value >= highest), default=ROUND_MS[-1])
    return low, high if high > low else low * 10  # with one and the same, `_x` would divide by the logarithm of 1


def _x(value: float, low: float, high: float) -> str:
    # Not from edge to edge: half of a mark at the end would be outside.
    return percent(0.02 + 0.96 * math.log(max(value, low) / low) / math.log(high / low))


def _p95(waits: Latency) -> str:
    if not waits.raw.count:
        return "no answers"
    return f"p95 {three_digits(waits.raw.p95)} ms, from the plan {three_digits(waits.from_plan.p95)}"


def _track(css: str, figures: Percentiles, y: float, low: float, high: float) -> list[AnyShape]:
    if not figures.count:
        return []
    shapes: list[AnyShape] = [Line(f"span {css}", _x(figures.p50, low, high), y, _x(figures.p99, low, high), y)]
    for symbol, value in (("m-circle", figures.p50), ("m-square", figures.p95), ("m-diamond", figures.p99)):
        shapes.append(Mark(f"mark {css}", symbol, _x(value, low, high), y))
    return shapes


def _finding(results: Results) -> str:
    answered = {
        name: result.latency_ms for name, result in results.architectures.items() if result.latency_ms.raw.count
    }
    if not answered:
        return "No planned action was answered."
    fastest = min(answered, key=lambda name: answered[name].raw.p95)
    slowest = max(answered, key=lambda name: answered[name].raw.p95)
    low, high = answered[fastest].raw.p95, answered[slowest].raw.p95
    text = f"p95 raw lies between {three_digits(low)} ms ({fastest}) and {three_digits(high)} ms ({slowest})"
    hidden = max(answered, key=lambda name: answered[name].from_plan.p99 - answered[name].raw.p99)
    gap = answered[hidden].from_plan.p99 - answered[hidden].raw.p99
    return f"{text}; the raw p99 hides at most {three_digits(max(gap, 0))} ms of waiting ({hidden})."


def _table(results: Results) -> Table:
    rows = []
    for name, result in results.architectures.items():
        for how, figures in (("raw", result.latency_ms.raw), ("from the planned start", result.latency_ms.from_plan)):
            numbers = (figures.p50, figures.p95, figures.p99, figures.p99_9, figures.max)
            rows.append((name, how, f"{figures.count:,}", *(f"{number:.2f}" for number in numbers)))
    return Table(("architecture", "timed", "answers", "p50 ms", "p95 ms", "p99 ms", "p99.9 ms", "max ms"), tuple(rows))
