"""How the matrix writes a number, a prediction and a verdict, on the terminal and on the page."""

from __future__ import annotations

from loadtests.campaigns.cells import Cell, CellWord
from loadtests.model.results import Prediction
from loadtests.model.scenario import Scenario
from loadtests.model.wording import beside, brief, number

MARKS: dict[CellWord, str] = {
    "as predicted": "✓", "refuted and understood": "✗✓", "not as predicted": "✗", "inconclusive": "?", "not run": "–",
}  # fmt: skip
"""✗✓: the first prediction did not hold, the second one did."""
REFUTED: tuple[CellWord, ...] = ("not as predicted", "refuted and understood")
FINDINGS = "docs/explanation/findings.md"


def relation(prediction: Prediction) -> str:
    """What was predicted of the number: "= 20", "≥ 57", "12–60"."""
    text = brief(prediction).replace(" to ", "–")
    return text if text[0] in "≥≤=><" or prediction.upper is not None else f"= {text}"


def second_look(cell: Cell) -> str:
    """Why a refuted prediction was refuted, as far as anybody knows, and what was predicted a second time."""
    look = cell.second
    if look is None:
        return "not understood: nobody has found why"
    seeds = ", ".join(map(str, look.seeds))
    tried = f"a second prediction, of {look.dated}, tried on seeds {seeds}"
    again = "; ".join(beside(prediction) for prediction in look.predictions) or "nothing of it was measured"
    if cell.word == "refuted and understood":
        return f"{look.because} So {tried}: {again}"
    return f"not understood: {tried}, does not explain this: {again}"


def leading(cell: Cell, scenario: Scenario) -> str:
    """The number that stands for the cell; empty if it was not run or has no such number."""
    value = cell.measures.get(scenario.headline)
    return "" if value is None or not cell.was_run else number(value)
