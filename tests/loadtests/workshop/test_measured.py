"""The numbers of a round by name, and rules over them."""

from __future__ import annotations

import pytest

from loadtests.model.formulas import is_true
from loadtests.model.results import ExperimentStep, Loss
from loadtests.workshop.episode import Choice, Question
from loadtests.workshop.episode_file import episode_named
from loadtests.workshop.measured import known_names, measured, observed_answer, observed_answers
from tests.loadtests.workshop.rounds import results, side

ROUND = results(
    sticky_memory=side(logged_out=10, at_risk=10, observed=1),
    redis=side(logged_out=0, at_risk=0, observed=2),
)


def test_numbers_of_both_sides_have_names() -> None:
    values = measured(episode_named("2"), ROUND, ["kill", "store-kill"])
    assert values["left.logged_out"] == 10
    assert values["left.at_risk"] == 10
    assert values["right.logged_out"] == 0
    assert (values["U"], values["N"]) == (30, 3)
    assert set(values) <= known_names()


def test_faults_are_counted_by_kind_where_they_were_seen() -> None:
    values = measured(episode_named("2"), ROUND, ["kill", "store-kill"])
    assert (values["left.observed.kill"], values["left.observed.store_kill"]) == (1, 0)
    assert (values["right.observed.kill"], values["right.observed.store_kill"]) == (1, 1)


def test_a_part_that_went_through_a_fault_twice_counts_once() -> None:
    steps = [ExperimentStep(fault, "observed_healed", 1.0, node) for fault, node in enumerate(("n1", "n1", "n2"))]
    values = measured(
        episode_named("2"), results(sticky_memory=side(experiment=tuple(steps))), ["key-switch", "key-switch", "kill"]
    )
    assert (values["left.through.key_switch"], values["left.through.kill"]) == (1, 1)


def test_losses_are_counted_by_their_causes() -> None:
    losses = tuple(Loss("logged_out", shopper, 1.0, "n1", cause, ()) for shopper, cause in ((1, "store_lost"), (2, "")))
    values = measured(episode_named("2"), results(redis=side(losses=losses)))
    assert (values["right.cause.store_lost"], values["right.cause.node_killed"]) == (1, 0)


def test_people_with_browsers_are_told_by_side() -> None:
    values = measured(episode_named("2"), ROUND, visitors={"redis": 1})
    assert values["right.visitors"] == 1
    assert "left.visitors" not in values


def test_what_was_not_measured_has_no_number() -> None:
    values = measured(episode_named("2"), ROUND)
    assert "left.new_node_share" not in values
    assert "left.observed.kill" not in values, "without the plan nobody knows of what kind the faults were"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("left.logged_out == left.at_risk and left.at_risk > 0", True),
        ("left.logged_out >= 0.95 * U", False),
        ("right.observed.store_kill >= 1 or right.logged_out > N", True),
        ("min(left.logged_out, right.logged_out) == 0", True),
    ],
)
def test_rules_hold_or_do_not(rule: str, expected: bool) -> None:
    assert is_true(rule, measured(episode_named("2"), ROUND, ["kill", "store-kill"])) is expected


def test_a_rule_over_a_number_that_is_not_there_does_not_hold_by_accident() -> None:
    with pytest.raises(KeyError):
        is_true("left.new_node_share > 0", measured(episode_named("2"), ROUND))


@pytest.mark.parametrize("rule", ["left.logged_out", "left.logged_out >", "__import__('os')", "left.logged_out = 0"])
def test_what_is_no_rule_is_refused(rule: str) -> None:
    with pytest.raises(ValueError, match="is no rule"):
        is_true(rule, measured(episode_named("2"), ROUND))


def test_what_was_observed_stands_beside_each_question() -> None:
    assert observed_answers(episode_named("2"), ROUND) == {"left": "10", "right": "0", "you": "right"}


def test_of_choices_the_first_whose_rule_holds_was_observed() -> None:
    some = Choice("some", "some", "left.logged_out > 0")
    everybody = Choice("all", "all", "left.logged_out >= U")
    values = measured(episode_named("2"), ROUND)
    assert observed_answer(Question("q", "?", "choice", (everybody, some)), values) == "some"
    assert observed_answer(Question("q", "?", "choice", (everybody, Choice("none", "none"))), values) == ""


def test_a_question_whose_number_was_not_measured_has_no_answer() -> None:
    question = Question("q", "?", "number", observed="left.new_node_share")
    assert observed_answer(question, measured(episode_named("2"), ROUND)) == ""
