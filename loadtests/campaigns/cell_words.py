"""How the matrix writes a number, a prediction and a verdict, on the terminal and on the page."""

from __future__ import annotations

from loadtests.campaigns.cells import Cell, CellWord
from loadtests.model.results import Prediction
from loadtests.model.scenario import Scenario

MARKS: dict[CellWord, str] = {"as predicted": "✓", "not as predicted": "✗", "inconclusive": "?", "not run": "–"}
_SIGNS = {">=": "≥", "<=": "≤", "==": "=", ">": ">", "<": "<"}


def number(value: float) -> str:
    """Whole numbers as such, others with as many digits as say something."""
    if float(value).is_integer():
        return f"{value:,.0f}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def relation(prediction: Prediction) -> str:
    """What was predicted of the number: "= 20", "≥ 57", "12–60"."""
    if prediction.upper is not None:
        return f"{number(prediction.value)}–{number(prediction.upper)}"
    text = prediction.predicted.strip()
    sign = next((better for plain, better in _SIGNS.items() if text.startswith(plain)), "=")
    return f"{sign} {number(prediction.value)}"


def beside(prediction: Prediction) -> str:
    """Predicted beside measured, in words: "logged out 20, predicted at risk = 20"."""
    return f"{spoken(prediction.measure)} {number(prediction.measured)}, predicted {formula(prediction)}"


def formula(prediction: Prediction) -> str:
    """What was predicted, with its value where the text does not say it: "at risk = 20", "≥ 0.95 × U (57)", "0"."""
    text, value = prediction.predicted.strip(), number(prediction.value)
    for plain, better in (("<=", "≤"), (">=", "≥"), ("==", "="), ("*", "×"), ("_", " "), (" .. ", " to ")):
        text = text.replace(plain, better)
    if prediction.upper is not None:
        ends = f"{value} to {number(prediction.upper)}"
        return text if text == ends else f"{text} ({ends})"
    if value in text.split():
        return text
    return f"{text} ({value})" if text[0] in "<>≤≥=" else f"{text} = {value}"


def spoken(measure: str) -> str:
    """A measure's name, for reading."""
    return measure.replace("_", " ")


def leading(cell: Cell, scenario: Scenario) -> str:
    """The number that stands for the cell; empty if it was not run or has no such number."""
    value = cell.measures.get(scenario.headline)
    return "" if value is None or not cell.was_run else number(value)
