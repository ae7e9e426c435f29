"""When a run is to fail: what fires, where, and what comes of it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from compose.architectures import ARCHITECTURES
from loadtests import cli
from loadtests.checks import MEASURES
from loadtests.judging.judge import judge
from loadtests.judging.verdict import (
    EXIT_CODES,
    FailIf,
    exit_code_of,
    fired,
    judge_thresholds,
    thresholds_of,
    verdict_of,
)
from loadtests.model.formulas import THRESHOLD_EXPECTED, Terms, parse_threshold
from loadtests.model.results import Costs, LogoutCounts, Results, Threshold, VerdictWord
from loadtests.model.wording import fails_if
from loadtests.report.terminal import summary
from tests.loadtests.example_result import UNEVENTFUL
from tests.loadtests.model_run import SCENARIO, predict_otherwise, write_run

TERMS = Terms(60, 3, 20)
THREE_OUT = msgspec.structs.replace(UNEVENTFUL, logged_out=LogoutCounts(3, 4, 1))
FIRED = Threshold("logged_out", "> 0", 0, 3, True)
QUIET = Threshold("logged_out", "> 3", 3, 3, False)


def test_no_architecture_has_the_name_of_a_measure() -> None:
    """Or nobody could say what `[fail_if]` means."""
    assert not set(ARCHITECTURES) & set(MEASURES)


@pytest.mark.parametrize(
    ("text", "fires"),
    [("> 0", True), ("> 3", False), (">= 3", True), ("> 0.05 * U", False), ("== 3", True), ("< 3", False),
     ("1 .. U", True), ("4 .. U", False), (">= at_risk", False), ("<= U / N", True)],
)  # fmt: skip
def test_it_fires_or_not(text: str, fires: bool) -> None:
    parse_threshold(text)
    (found,), doubts = judge_thresholds({"logged_out": text}, THREE_OUT, TERMS)
    assert (found.measure, found.fail_if, found.measured, found.fired) == ("logged_out", text, 3, fires)
    assert doubts == ()


@pytest.mark.parametrize("text", ["0", "at_risk", "U / N", " 3 "])
def test_a_bare_number_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="met or exceeded") as error:
        parse_threshold(text)
    assert THRESHOLD_EXPECTED in str(error.value)


@pytest.mark.parametrize("text", ["", ">", "> many", "5 .. 3", "=> 3", "> __import__('os')", "> " + "1" * 300])
def test_what_cannot_be_read_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_threshold(text)


def test_the_own_threshold_of_an_architecture_stands_for_the_general_one() -> None:
    fail_if: FailIf = {"logged_out": "> 0", "failed": "> 9", "redis": {"logged_out": "> 2", "stalled": "> 1"}}
    assert thresholds_of(fail_if, "signed-token") == {"logged_out": "> 0", "failed": "> 9"}
    assert thresholds_of(fail_if, "redis") == {"logged_out": "> 2", "failed": "> 9", "stalled": "> 1"}


def test_what_was_not_measured_is_a_doubt_and_no_pass() -> None:
    result = msgspec.structs.replace(UNEVENTFUL, costs=Costs())
    found, doubts = judge_thresholds({"node_memory_mb": "> 500", "failed": "> 1 / at_risk"}, result, Terms(60, 3, 0))
    assert found == ()
    assert doubts[0] == "node_memory_mb has a threshold and was not measured"
    assert doubts[1].startswith("the threshold of failed has no value here: ")


@pytest.mark.parametrize(
    ("threshold", "words"),
    [
        (FIRED, "fails if logged_out > 0, measured 3"),
        (Threshold("failed", ">=  0.5 * U", 30, 31, True), "fails if failed >= 0.5 * U (that is 30), measured 31"),
        (Threshold("failed", "1 .. U", 1, 31, True, 60), "fails if failed 1 .. U (that is 1 .. 60), measured 31"),
        (Threshold("failed", "1 .. 5", 1, 4, True, 5), "fails if failed 1 .. 5, measured 4"),
    ],
)
def test_it_is_told_with_its_numbers(threshold: Threshold, words: str) -> None:
    assert fails_if(threshold) == words


@pytest.mark.parametrize(
    ("doubts", "thresholds", "expected"),
    [
        ((), (QUIET,), ("as predicted", ())),
        ((), (QUIET, FIRED), ("not as predicted", (fails_if(FIRED),))),
        (("nobody knows",), (FIRED,), ("inconclusive", ("nobody knows", fails_if(FIRED)))),
    ],
)
def test_where_nothing_is_predicted_they_are_the_prediction(
    doubts: tuple[str, ...], thresholds: tuple[Threshold, ...], expected: tuple[VerdictWord, tuple[str, ...]]
) -> None:
    assert verdict_of(doubts, (), thresholds) == expected


def results_of(verdict: VerdictWord, **architectures: tuple[VerdictWord, Threshold]) -> Results:
    found = {
        name: msgspec.structs.replace(UNEVENTFUL, verdict=word, thresholds=(threshold,))
        for name, (word, threshold) in architectures.items()
    }
    return Results(2, "s", "Why?", 1, "0" * 64, "processes", 60, 3, verdict, "It is so.", found)


@pytest.mark.parametrize("verdict", EXIT_CODES)
def test_while_none_fires_the_verdict_decides_the_exit_code(verdict: VerdictWord) -> None:
    assert exit_code_of(results_of(verdict, redis=(verdict, QUIET))) == EXIT_CODES[verdict]


def test_one_that_fires_fails_a_run_that_went_as_predicted() -> None:
    results = results_of("as predicted", redis=("as predicted", FIRED))
    assert fired(results) == [("redis", FIRED)]
    assert exit_code_of(results) == 1


def test_an_inconclusive_run_stays_inconclusive() -> None:
    results = results_of("inconclusive", redis=("inconclusive", FIRED))
    assert fired(results) == []
    assert exit_code_of(results) == 3


def test_one_that_fires_is_not_masked_by_another_architecture_that_is_inconclusive() -> None:
    results = results_of("inconclusive", redis=("as predicted", FIRED), other=("inconclusive", FIRED))
    assert fired(results) == [("redis", FIRED)]
    assert exit_code_of(results) == 1


class TestAWholeRun:
    """The model: sticky-memory loses somebody, redis nobody."""

    def test_general_and_own_ones_are_judged_after_it(self, tmp_path: Path) -> None:
        run = write_run(tmp_path / "run")
        predict_otherwise(run, f'{SCENARIO}\n[fail_if]\nlogged_out = "> 0"\n[fail_if.redis]\nfailed = ">= U"\n')
        results = judge(run.root)
        sticky, redis = results.architectures["sticky-memory"], results.architectures["redis"]
        assert sticky.logged_out.shoppers > 0
        assert [(it.measure, it.fired) for it in sticky.thresholds] == [("logged_out", True)]
        assert [(it.measure, it.fired) for it in redis.thresholds] == [("logged_out", False), ("failed", False)]
        assert redis.thresholds[1].value == 9
        assert (results.verdict, exit_code_of(results)) == ("as predicted", 1)

    def test_the_terminal_says_so_and_ends_with_1(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        run = write_run(tmp_path / "run")
        predict_otherwise(run, f'{SCENARIO}\n[fail_if]\nlogged_out = "> 0"\n')
        assert cli.main(["check", str(run.root)]) == 1
        said = capsys.readouterr().out.splitlines()
        assert [line for line in said if "fails if" in line] == [
            f"sticky-memory: {fails_if(judge(run.root).architectures['sticky-memory'].thresholds[0])}"
        ]
        assert "fail_if  1 of 2 thresholds fired" in said
        assert "verdict  as predicted" in said

    def test_without_any_the_terminal_says_nothing_of_them(self, tmp_path: Path) -> None:
        run = write_run(tmp_path / "run")
        assert "fail_if" not in summary(judge(run.root), run.root)

    def test_thresholds_alone_are_enough_to_judge_by(self, tmp_path: Path) -> None:
        run = write_run(tmp_path / "run")
        asked = SCENARIO.partition("[expect")[0]
        predict_otherwise(run, f'{asked}\n[fail_if]\nlogged_out = "> 0"\n')
        results = judge(run.root)
        found = {name: result.verdict for name, result in results.architectures.items()}
        assert found == {"sticky-memory": "not as predicted", "redis": "as predicted"}
        assert exit_code_of(results) == 1

    def test_one_that_cannot_be_judged_makes_its_architecture_inconclusive(self, tmp_path: Path) -> None:
        run = write_run(tmp_path / "run")
        predict_otherwise(run, f'{SCENARIO}\n[fail_if.redis]\nnode_memory_mb = "> 500"\n')
        results = judge(run.root)
        assert results.architectures["redis"].reasons == ("node_memory_mb has a threshold and was not measured",)
        assert exit_code_of(results) == 3
