"""Repeats of a matrix: what is the same integer each time, and what spreads."""

from __future__ import annotations

from loadtests.campaigns.cells import Cell, Matrix
from loadtests.model.results import Prediction
from tests.bench.repeats import rows_of, told


def repeat(at_risk: float = 30.0, **measures: float) -> Matrix:
    """A matrix of one cell, with one number predicted and one bounded."""
    predictions = (
        Prediction("logged_out", "at_risk", at_risk, measures.get("logged_out", 0.0), True),
        Prediction("failed", "> 0", 0.0, measures.get("failed", 0.0), True),
    )
    cell = Cell("store-kill", "redis", "as predicted", predictions=predictions, measures=measures)
    return Matrix(cells=(cell,))


def test_the_same_integer_each_time() -> None:
    lines, same = told(rows_of([repeat(logged_out=30.0, failed=number) for number in (5.0, 9.0, 6.0)]))
    assert same
    assert lines[0] == "deterministic rows  1 of 1 the same in every repeat"
    assert lines[1].startswith("other rows          0 of 1")
    assert "5 .. 6 .. 9" in lines[-1]


def test_a_deterministic_row_that_differs_is_named() -> None:
    lines, same = told(rows_of([repeat(logged_out=30.0), repeat(logged_out=29.0)]))
    assert not same
    assert lines[0].startswith("deterministic rows  0 of 1")
    assert "store-kill redis logged_out" in lines[1]
    assert "29 .. 29.5 .. 30" in lines[1]


def test_what_is_inconclusive_says_nothing() -> None:
    cell = Cell("store-kill", "redis", "inconclusive", measures={"logged_out": 3.0})
    (row, _) = rows_of(
        [repeat(logged_out=30.0, failed=1.0), Matrix(cells=(cell,)), repeat(logged_out=30.0, failed=1.0)]
    )
    assert row.values == (30.0, 30.0)
    assert rows_of([Matrix(cells=(cell,))]) == []


def test_a_formula_that_comes_to_another_number_is_not_deterministic() -> None:
    lines, same = told(rows_of([repeat(12.0, logged_out=12.0), repeat(9.0, logged_out=9.0)]))
    assert same
    assert lines[0].startswith("deterministic rows  0 of 0")
    assert "9 .. 10.5 .. 12" in lines[-1]
