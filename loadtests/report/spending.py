"""What requests and sessions cost: a table with a line for each cost that was measured anywhere."""

from __future__ import annotations

import msgspec

from loadtests.checks import MEASURES
from loadtests.model.measures import NOT_MEASURED, Measure
from loadtests.model.results import Prediction, Results


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
    lines = (_line(measure, results) for measure in MEASURES.values() if measure.group == "Cost")
    return tuple(line for line in lines if any(cell.text != NOT_MEASURED or cell.predictions for cell in line.cells))


def _line(measure: Measure, results: Results) -> CostLine:
    cells = tuple(
        CostCell(
            f"cost-{name}-{measure.name}",
            _text(measure, measure.read(result)),
            tuple(prediction for prediction in result.predictions if prediction.measure == measure.name),
        )
        for name, result in results.architectures.items()
    )
    return CostLine(measure.head, measure.definition, cells)


def _text(measure: Measure, value: float | None) -> str:
    unit = "" if value is None else measure.unit
    return f"{measure.text(value)} {unit}".rstrip()
