"""The table on the terminal, and the exit code."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from loadtests.campaigns.cells import EVERYTHING, Cell, Selection
from loadtests.campaigns.matrix.board import Board, board_of, matrix_exit_code
from loadtests.campaigns.matrix.page import summary, table
from loadtests.model.results import Prediction
from tests.loadtests.campaigns.matrix.made_up import CALM, CATALOGUE, MATRIX, cell, entry

ALL = (
    cell("calm", "sticky-memory"),
    cell("calm", "redis"),
    cell("kill", "sticky-memory", out=20, predicted="at_risk"),
    cell("kill", "redis"),
    cell("cost", "redis"),
)


def board(*cells: Cell, selection: Selection = EVERYTHING) -> Board:
    return board_of(msgspec.structs.replace(MATRIX, cells=cells), CATALOGUE, selection)


def with_cell(changed: Cell) -> tuple[Cell, ...]:
    return (*(it for it in ALL if it.place != changed.place), changed)


def test_measured_stands_beside_predicted() -> None:
    text = table(board(*ALL))
    assert "  kill        20 =20 ✓  0 =0 ✓" in text
    assert "  cost  12.5 ✓" in text
    assert "Not as predicted" not in text
    assert "but for: cost p50_ms" in text
    assert summary(board(*ALL), Path("m.html")) == "matrix   5 as predicted\npage     m.html"


@pytest.mark.parametrize(
    ("changed", "code", "title"),
    [
        (cell("kill", "redis", "not as predicted", out=3), 1, "Not as predicted"),
        (cell("kill", "redis", "inconclusive"), 3, "Inconclusive"),
        (Cell("kill", "redis", "not run", why="a reason", key=cell("kill", "redis").key), 3, "Not run"),
    ],
)
def test_what_went_otherwise_is_told_and_decides_the_exit_code(changed: Cell, code: int, title: str) -> None:
    found = board(*with_cell(changed))
    text = table(found)
    assert f"{title}\n  kill on redis: a reason" in text
    assert matrix_exit_code(found) == code


def test_the_exit_code_is_0_only_if_all_was_run_and_held() -> None:
    assert matrix_exit_code(board(*ALL)) == 0
    assert matrix_exit_code(board(*ALL[1:])) == 3
    assert matrix_exit_code(board(*ALL[1:], selection=Selection(scenarios=("kill",)))) == 0


def test_a_failure_is_never_masked_by_an_unknown() -> None:
    cells = with_cell(cell("kill", "redis", "not as predicted"))[1:]
    assert matrix_exit_code(board(*cells)) == 1


def test_places_that_were_not_run_say_why() -> None:
    stale = msgspec.structs.replace(ALL[0], key=None)
    rows = {row.scenario.name: {it.architecture: it for it in row.cells} for row in board(stale, ALL[1]).rows()}
    assert rows["calm"]["sticky-memory"].why == "it has changed since it was run"
    assert rows["kill"]["redis"].why == "not requested yet"
    beside = entry("calm-too", CALM.replace('family = "control"', 'family = "cost"'))
    cost = {it.architecture: it for it in next(board_of(MATRIX, (*CATALOGUE[2:], beside)).rows()).cells}
    assert cost["sticky-memory"].why == "not among the architectures of this scenario"
    chosen = board(*ALL, selection=Selection(scenarios=("kill",), architectures=("redis",)))
    assert [family.columns for family in chosen.families] == [("redis",)]
    assert [row.scenario.name for row in chosen.rows()] == ["kill"]


def test_no_line_is_longer_than_asked_however_many_columns_there_are() -> None:
    for width in (60, 100):
        assert max(len(line) for line in table(board(*ALL), width=width).splitlines() if line.startswith("  ")) <= width


@pytest.mark.parametrize(
    ("prediction", "shown"),
    [
        (Prediction("logged_out", ">= 0.95 * U", 57.0, 58.0, True), "58 ≥57 ✓"),
        (Prediction("logged_out", "0.2 * U .. U", 12.0, 58.0, True, 60.0), "58 12–60 ✓"),
    ],
)
def test_relations_and_ranges(prediction: Prediction, shown: str) -> None:
    changed = msgspec.structs.replace(
        cell("kill", "redis"), predictions=(prediction,), measures={"logged_out": prediction.measured}
    )
    assert shown in table(board(*with_cell(changed)))
