"""Three words, and which of them wins."""

from __future__ import annotations

import pytest

from loadtests.judging.verdict import EXIT_CODES, MEASURES, exit_code, overall, predictions_for, verdict_of
from loadtests.results import Prediction, VerdictWord
from tests.loadtests.example_result import UNEVENTFUL

HOLDS = Prediction("logged_out", "at_risk", 20, 20, True)
REFUTED = Prediction("logged_out", "at_risk", 20, 0, False)


class TestOneArchitecture:
    def test_as_predicted(self) -> None:
        assert verdict_of([], [HOLDS]) == ("as predicted", ())

    def test_not_as_predicted(self) -> None:
        assert verdict_of([], [HOLDS, REFUTED]) == (
            "not as predicted",
            ("predicted logged_out at_risk = 20, measured 0",),
        )

    def test_an_experiment_that_did_not_happen_decides_nothing_and_hides_nothing(self) -> None:
        word, reasons = verdict_of(["the kill was not seen"], [REFUTED])
        assert word == "inconclusive"
        assert reasons == ("the kill was not seen", "predicted logged_out at_risk = 20, measured 0")

    @pytest.mark.parametrize(
        ("predicted", "value", "words"),
        [("0", 0, "logged_out 0,"), (">= 0.95 * U", 57, "logged_out >= 0.95 * U (that is 57),")],
    )
    def test_reasons_say_the_formula_and_its_value(self, predicted: str, value: float, words: str) -> None:
        _, (reason,) = verdict_of([], [Prediction("logged_out", predicted, value, 3, False)])
        assert words in reason


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        (["as predicted", "as predicted"], "as predicted"),
        (["as predicted", "inconclusive"], "inconclusive"),
        (["inconclusive", "not as predicted", "as predicted"], "not as predicted"),
        ([], "inconclusive"),
    ],
)
def test_a_failure_is_never_masked_by_an_unknown(words: list[VerdictWord], verdict: VerdictWord) -> None:
    assert overall(words) == verdict


def test_exit_codes() -> None:
    assert {word: exit_code(word) for word in EXIT_CODES} == {
        "as predicted": 0,
        "not as predicted": 1,
        "inconclusive": 3,
    }


class TestMeasures:
    result = UNEVENTFUL

    @pytest.mark.parametrize("name", MEASURES)
    def test_each_is_a_number_with_a_definition(self, name: str) -> None:
        measure = MEASURES[name]
        assert measure.definition.endswith(".")
        assert measure.read(self.result) >= 0

    def test_predictions_are_measured(self) -> None:
        found, doubts = predictions_for({"logged_out": "at_risk", "wrong_user": "0"}, self.result, 3)
        assert [prediction.holds for prediction in found] == [True, True]
        assert doubts == ()

    def test_a_formula_without_a_value_is_a_doubt(self) -> None:
        found, (doubt,) = predictions_for({"logged_out": "U / (N - 3)"}, self.result, 3)
        assert found == ()
        assert "logged_out" in doubt
