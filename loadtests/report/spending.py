"""What requests and sessions cost: a table with a line for each cost that was measured anywhere."""

from __future__ import annotations

import msgspec

from loadtests.model.measures import SPENT
from loadtests.model.results import Prediction, Results


class Spent(msgspec.Struct, frozen=True):
    """One cost."""

    measure: str
    """A key of `verdict.SPENT`."""
    name: str
    digits: int = 1
    unit: str = ""
    percent: bool = False


SPENDINGS = (
    Spent("requests_per_second", "Answers a second"),
    Spent("p50_ms", "Median wait", 2, "ms"),
    Spent("node_cpu_ms_per_request", "Processor time of the nodes, per answer", 3, "ms"),
    Spent("node_memory_mb", "Memory of all nodes", 1, "MiB"),
    Spent("memory_bytes_per_session", "Nodes’ memory per session", 0, "bytes"),
    Spent("store_commands_per_request", "Commands to the session store, per answer", 2),
    Spent("store_memory_bytes_per_session", "Store’s memory per key", 0, "bytes"),
    Spent("cookie_bytes_per_request", "Cookie sent with a request", 0, "bytes"),
    Spent("answer_bytes_per_request", "Body of an answer", 0, "bytes"),
    Spent("busiest_node_share", "Share of the busiest node", percent=True),
    Spent("new_node_share", "Share of added nodes, since they were there", percent=True),
)


class CostCell(msgspec.Struct, frozen=True):
    """What one architecture spent."""

    id: str
    text: str
    predictions: tuple[Prediction, ...]


class CostLine(msgspec.Struct, frozen=True):
    """One line of the table."""

    name: str
    definition: str
    cells: tuple[CostCell, ...]


def spending(results: Results) -> tuple[CostLine, ...]:
    """The lines of what was measured or predicted anywhere."""
    lines = (_line(spent, results) for spent in SPENDINGS)
    return tuple(line for line in lines if any(cell.text != "–" or cell.predictions for cell in line.cells))


def _line(spent: Spent, results: Results) -> CostLine:
    measure = SPENT[spent.measure]
    cells = tuple(
        CostCell(
            f"cost-{name}-{spent.measure}",
            _text(spent, measure.read(result)),
            tuple(prediction for prediction in result.predictions if prediction.measure == spent.measure),
        )
        for name, result in results.architectures.items()
    )
    return CostLine(spent.name, measure.definition, cells)


def _text(spent: Spent, value: float | None) -> str:
    if value is None:
        return "–"
    if spent.percent:
        return f"{100 * value:.1f} %"
    return f"{value:,.{spent.digits}f} {spent.unit}".rstrip()
