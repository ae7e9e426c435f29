"""Numbers, formulas, relations; and everything that is none."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.model.formulas import EXPECTED, Terms, parse_prediction, predict

TERMS = Terms(shoppers=60, nodes=3, at_risk=20, workers=4)


@pytest.mark.parametrize(
    ("text", "measured", "value", "holds"),
    [
        ("0", 0, 0, True),
        ("0", 1, 0, False),
        ("at_risk", 20, 20, True),
        ("at_risk", 19, 20, False),
        ("U / N", 20, 20, True),
        ("U/N", 20.4, 20, False),
        ("U / 7", 9, 60 / 7, True),
        ("U / 7", 8, 60 / 7, False),
        (">= 0.95 * U", 57, 57, True),
        (">= 0.95 * U", 56, 57, False),
        (">0", 1, 0, True),
        ("<= 3", 4, 3, False),
        ("< 3", 2, 3, True),
        ("== U", 60, 60, True),
        ("U*(N-1)/N * ((N/(N-1))**N - 1)", 95, 95, True),
        ("-1 + +U", 59, 59, True),
        ("  at_risk ", 20, 20, True),
        ("ceil(U / 7)", 9, 9, True),
        ("floor(U / 7)", 8, 8, True),
        ("round(U * 0.333)", 20, 20, True),
        ("min(U, 10 * N)", 30, 30, True),
        (">= max(1, at_risk - 5)", 14, 15, False),
        ("U * (1 - 1 / W)", 45, 45, True),
    ],
)
def test_it_holds_or_not(text: str, measured: float, value: float, holds: bool) -> None:
    found = predict("logged_out", text, measured, TERMS)
    assert found.value == pytest.approx(value)
    assert (found.predicted, found.measured, found.holds) == (text, measured, holds)


@pytest.mark.parametrize(
    "text",
    [
        "", "  ", ">=", "few", "U +", "all of them", "u", "U / 0", "1 / (U - U)", "__import__('os')", "print(1)",
        "'60'", "[1]", "U.real", "True", "U > 3", ">= > 3", "1e400", "9**9**9**9", "10**400", "(-1)**0.5", "1; 2",
        "x = 3", "U if N else 1", "1" * 500, "(" * 150 + ")" * 150, "lambda: 1", "0 and 1", "U % 7", "1_000j",
        "=3", "=> 3", "..", "1 ..", ".. 2", "1 .. 2 .. 3", ">= 1 .. 2", "5 .. 3", "1 ... 2 + x", "min()", "max(1)",
        "pow(2)", "round", "round(1, 2)", "min(U, key=N)", "(min)(*[1, 2])", "U.real()", "round(9e999)", "ceil(U)(1)",
    ],
)  # fmt: skip
def test_what_is_no_prediction_says_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected") as error:
        parse_prediction(text)
    assert EXPECTED in str(error.value)


def test_big_powers_cost_no_time() -> None:
    began = time.process_time()
    with pytest.raises(ValueError, match="not a"):
        parse_prediction("9**9**9**9**9")
    assert time.process_time() - began < 5


def test_parsing_tells_relation_and_formula() -> None:
    assert parse_prediction(">= 0.95 * U") == (">=", "0.95 * U", "")
    assert parse_prediction("at_risk") == ("", "at_risk", "")
    assert parse_prediction("U / N .. U") == ("..", "U / N", "U")


@pytest.mark.parametrize(
    ("text", "measured", "holds"),
    [
        ("U / N .. U", 20, True),
        ("U / N .. U", 60, True),
        ("U / N .. U", 19.99, False),
        ("U / N .. U", 61, False),
        ("0.5..1", 0.75, True),
        ("1 .. 1", 1, True),
        ("-1 .. max(at_risk, 3)", 21, False),
    ],
)
def test_both_ends_of_a_range_belong_to_it(text: str, measured: float, holds: bool) -> None:
    found = predict("stalled", text, measured, TERMS)
    assert found.holds == holds
    assert found.upper is not None
    assert found.value <= found.upper


def test_a_range_may_hold_nothing_in_a_run() -> None:
    assert parse_prediction("at_risk .. U / 2")
    with pytest.raises(ValueError, match="from 20 to 10, so nothing lies in it"):
        predict("logged_out", "at_risk .. U / 2", 15, Terms(20, 3, 20))


def test_a_formula_may_have_no_value_in_a_run() -> None:
    assert parse_prediction("U / at_risk")
    with pytest.raises(ValueError, match="divides by zero"):
        predict("logged_out", "U / at_risk", 0, Terms(60, 3, 0))


@given(st.text(max_size=60))
def test_whatever_somebody_writes_is_a_prediction_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        parse_prediction(text)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_whole_numbers_must_be_met_exactly(predicted: int, measured: int) -> None:
    assert predict("logged_out", str(predicted), measured, TERMS).holds == (predicted == measured)
