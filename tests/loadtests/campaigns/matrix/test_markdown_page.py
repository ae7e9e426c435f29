"""The matrix as a page of the docs: true to the cells."""

from __future__ import annotations

import msgspec

from loadtests.campaigns.claims import all_claims, decide_all
from loadtests.campaigns.matrix.board import board_of
from loadtests.campaigns.matrix.markdown_page import markdown_page
from tests.loadtests.campaigns.matrix.made_up import CATALOGUE, MATRIX, cell

CELLS = (
    cell("calm", "sticky-memory"),
    cell("calm", "redis", "inconclusive"),
    cell("kill", "sticky-memory", out=20, predicted="at_risk"),
    cell("kill", "redis", "not as predicted", out=3),
)


def page() -> str:
    matrix = msgspec.structs.replace(MATRIX, cells=CELLS)
    return markdown_page(matrix, board_of(matrix, CATALOGUE), decide_all(all_claims(), matrix.by_place()))


def test_it_says_how_many_went_how_and_by_which_command() -> None:
    text = page()
    assert "2 of 4 cells of 2 scenarios went as predicted; 1 not as predicted, 1 inconclusive, 1 not run." in text
    assert "seed 1, engine processes, Twinshop 0.1.0" in text


def test_each_cell_has_its_number_its_prediction_and_its_mark() -> None:
    (row,) = [line for line in page().splitlines() if line.startswith("| [kill]")]
    assert row == "| [kill](../reference/scenarios.md#kill) | logged out | 20 (at risk = 20) ✓ | 3 (0 = 3) ✗ |"
    (calm,) = [line for line in page().splitlines() if line.startswith("| [calm]")]
    assert calm.endswith("| 0 (0) ✓ | 0 (0) ? |")


def test_what_went_otherwise_is_told_and_every_claim_is_there() -> None:
    lines = page().splitlines()
    assert "- kill, redis: a reason. *Not as predicted*: not understood: nobody has found why." in lines
    assert "- calm, redis: a reason." in lines
    assert [line.split(" | ")[0] for line in lines if line.startswith("| C")] == [f"| {it.id}" for it in all_claims()]
