"""Three words, and which of them wins."""

from __future__ import annotations

import msgspec
import pytest

from loadtests.checks import MEASURES, TALLIES
from loadtests.judging.verdict import EXIT_CODES, UNSEEN, exit_code, expected_of, overall, predictions_for, verdict_of
from loadtests.model.application import ApplicationFacts
from loadtests.model.formulas import Terms
from loadtests.model.results import Costs, Counted, Prediction, VerdictWord
from loadtests.planning.scenario_file import load_scenario
from loadtests.session_model.timeline import RunTimeline
from tests.loadtests.example_result import UNEVENTFUL
from tests.loadtests.stories import scene

HOLDS = Prediction("logged_out", "at_risk", 20, 20, True)
TERMS = Terms(60, 3, 0)
REFUTED = Prediction("logged_out", "at_risk", 20, 0, False)


class TestWhoCouldNotBeLookedAt:
    UNSEEN = msgspec.structs.replace(UNEVENTFUL, users=msgspec.structs.replace(UNEVENTFUL.users, undecided=6))

    @pytest.mark.parametrize("text", ["0", "<= 3", "6", "1 .. 6"])
    def test_a_prediction_that_hangs_on_them_is_in_doubt(self, text: str) -> None:
        _, doubts = predictions_for({"logged_out": text}, self.UNSEEN, TERMS)
        assert doubts == (
            "6 shoppers could not be looked at in the audit, so nobody knows what would have been counted: logged_out",
        )

    @pytest.mark.parametrize("text", [">= 0", "<= 6", "7", "0 .. 6"])
    def test_one_that_comes_out_the_same_whatever_became_of_them_is_not(self, text: str) -> None:
        assert predictions_for({"logged_out": text}, self.UNSEEN, TERMS)[1] == ()

    def test_orders_and_actions_do_not_hang_on_them(self) -> None:
        assert predictions_for({"orders_lost": "0", "failed": "0"}, self.UNSEEN, TERMS)[1] == ()


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
        ("predicted", "words"),
        [
            ("U / N .. U", "stalled U / N .. U (that is 20 .. 60), measured 3"),
            ("20 .. 60", "stalled 20 .. 60, measured 3"),
        ],
    )
    def test_reasons_say_both_ends_of_a_range(self, predicted: str, words: str) -> None:
        _, (reason,) = verdict_of([], [Prediction("stalled", predicted, 20, 3, False, 60)])
        assert reason == f"predicted {words}"


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


class TestWhatIsExpectedWhere:
    SHOP = ApplicationFacts("shop", "A", "0", ("login", "me", "logout", "recall"), names_users=True)

    def expected(self, scenario: str, architecture: str, application: ApplicationFacts | None) -> dict[str, str]:
        at = msgspec.structs.replace(scene(architecture=architecture), application=application)
        return expected_of(load_scenario(scenario), msgspec.structs.replace(at, architecture="mine"))

    def test_of_the_twins_what_stands_under_the_name(self) -> None:
        kill = load_scenario("node-kill")
        assert expected_of(kill, scene(architecture="redis")) == kill.expect["redis"]
        assert self.expected("node-kill", "redis", None) == {}
        assert expected_of(kill, RunTimeline("redis", application=self.SHOP)) == kill.expect["redis"], "never ready"

    def test_of_an_application_what_the_twin_does_that_is_like_it(self) -> None:
        assert self.expected("node-kill", "redis", self.SHOP) == load_scenario("node-kill").expect["redis"]

    def test_not_of_one_that_has_no_store_what_becomes_of_it_without_a_store(self) -> None:
        for architecture, predicted in (("signed-token", False), ("sticky-memory", False), ("redis", True)):
            assert bool(self.expected("store-kill", architecture, self.SHOP)) is predicted
            assert self.expected("node-kill", architecture, self.SHOP) != {}
        assert bool(self.expected("replica-promoted", "sticky-memory", self.SHOP)) is False


def test_what_hangs_on_who_was_at_risk_has_no_value_where_nobody_knows_that() -> None:
    unknown = msgspec.structs.replace(UNEVENTFUL, at_risk=None)
    found, doubts = predictions_for({"logged_out": "at_risk", "stalled": "0"}, unknown, TERMS)
    assert [prediction.measure for prediction in found] == ["stalled"]
    assert doubts == ("logged_out was predicted by at_risk (at_risk), which was not measured",)


def test_a_threshold_that_fired_is_a_failure_whatever_the_verdict() -> None:
    assert {exit_code(word, fired=True) for word in EXIT_CODES} == {1}


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
        read = measure.read(self.result)
        assert read is None or read >= 0
        assert (read is None) == (measure.group == "Cost" or name in ("p95_ms", "honest_revocations")), (
            "nobody measured what an example cost, and no family of tokens ended in it"
        )

    def test_predictions_are_measured(self) -> None:
        found, doubts = predictions_for({"logged_out": "at_risk", "wrong_user": "0"}, self.result, TERMS)
        assert [prediction.holds for prediction in found] == [True, True]
        assert doubts == ()

    def test_a_formula_without_a_value_is_a_doubt(self) -> None:
        found, (doubt,) = predictions_for({"logged_out": "U / (N - 3)"}, self.result, TERMS)
        assert found == ()
        assert "logged_out" in doubt

    def test_what_was_not_measured_cannot_hold_and_is_a_doubt(self) -> None:
        found, doubts = predictions_for({"node_memory_mb": "0", "stalled": "0"}, self.result, TERMS)
        assert [prediction.measure for prediction in found] == ["stalled"]
        assert doubts == ("node_memory_mb was predicted and not measured",)

    def test_workers_are_a_term(self) -> None:
        ((prediction,), _) = predictions_for({"stalled": "U * (1 - 1 / W)"}, self.result, Terms(60, 3, 0, 2))
        assert (prediction.value, prediction.holds) == (30, False)

    def test_every_count_can_be_predicted(self) -> None:
        """Each tally moves all its measures, and each of Costs is one."""
        for name, tally in TALLIES.items():
            changed = msgspec.structs.replace(self.result, counts={name: Counted(3, 4)})
            assert all(measure.read(changed) in (3, 4) for measure in tally.measures), name
        for field in Costs.__struct_fields__:
            changed = msgspec.structs.replace(self.result, costs=msgspec.structs.replace(Costs(), **{field: 1.5}))
            assert MEASURES[field].read(changed) == 1.5


def test_what_could_happen_unseen_holds_no_prediction_and_refutes_one_if_it_was_seen() -> None:
    facts = ApplicationFacts("shop", "B", "0", ("login", "me", "remember", "recall"), names_users=False)
    unseen = msgspec.structs.replace(UNEVENTFUL, application=facts, wrong_user=None)
    found, doubts = predictions_for({"logged_out": "0", "wrong_user": "0"}, unseen, TERMS)
    assert ([it.measure for it in found], doubts) == (["logged_out"], ())
    assert predictions_for({"wrong_user": "0"}, unseen, TERMS) == ((), (UNSEEN,))
    (seen,), _ = predictions_for({"wrong_user": "0"}, msgspec.structs.replace(unseen, wrong_user=2), TERMS)
    assert (seen.measured, seen.holds) == (2, False)
