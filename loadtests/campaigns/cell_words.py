"""How the matrix writes a number, a prediction and a verdict, on the terminal and on the page."""

from __future__ import annotations

from loadtests.campaigns.cells import Cell, CellWord
from loadtests.model.results import Prediction
from loadtests.model.scenario import Scenario
from loadtests.model.wording import brief, number

MARKS: dict[CellWord, str] = {"as predicted": "✓", "not as predicted": "✗", "inconclusive": "?", "not run": "–"}


def relation(prediction: Prediction) -> str:
    """What was predicted of the number: "= 20", "≥ 57", "12–60"."""
    text = brief(prediction).replace(" to ", "–")
    return text if text[0] in "≥≤=><" or prediction.upper is not None else f"= {text}"


def leading(cell: Cell, scenario: Scenario) -> str:
    """The number that stands for the cell; empty if it was not run or has no such number."""
    value = cell.measures.get(scenario.headline)
    return "" if value is None or not cell.was_run else number(value)
