"""Numbers and predictions in words."""

from __future__ import annotations

import pytest

from loadtests.model.results import Prediction, Threshold
from loadtests.model.wording import beside, brief, fails_if, number, readable, said


@pytest.mark.parametrize(
    ("prediction", "plain", "for_reading", "short"),
    [
        (Prediction("logged_out", "at_risk", 20, 20, True), "at_risk = 20", "at risk = 20", "20"),
        (
            Prediction("logged_out", ">= 0.95 * U", 57, 60, True),
            ">= 0.95 * U (that is 57)", "≥ 0.95 × U (57)", "≥ 57",
        ),
        (Prediction("logged_out", "0", 0, 0, True), "0", "0", "0"),
        (Prediction("logged_out", "<=  3", 3, 0, True), "<= 3", "≤ 3", "≤ 3"),
        (
            Prediction("stalled", "U / N .. U", 20, 0, False, 60),
            "U / N .. U (that is 20 .. 60)", "U / N to U (20 to 60)", "20 to 60",
        ),
        (Prediction("stalled", "20..60", 20, 0, False, 60), "20..60", "20 to 60", "20 to 60"),
        (Prediction("stalled", "2 ** N", 8, 0, False), "2 ** N = 8", "2 ^ N = 8", "8"),
    ],
)  # fmt: skip
def test_what_was_predicted(prediction: Prediction, plain: str, for_reading: str, short: str) -> None:
    assert (said(prediction), readable(prediction), brief(prediction)) == (plain, for_reading, short)


def test_beside_a_limit_nothing_is_rounded_away() -> None:
    assert (
        beside(Prediction("p95_ms", "<= 20", 20, 20.04, False)) == "predicted p95_ms <= 20 (that is 20), measured 20.04"
    )
    assert fails_if(Threshold("p95_ms", "> U / 3", 20, 20.04, True)) == (
        "fails if p95_ms > U / 3 (that is 20), measured 20.04"
    )


def test_numbers_have_no_exponent() -> None:
    assert [number(value) for value in (0.0, 20.0, 0.23456, 1234.5, 12345.0, 1e7)] == [
        "0", "20", "0.2346", "1,234", "12,345", "10,000,000",
    ]  # fmt: skip
