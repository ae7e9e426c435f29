"""What is run, in which order, and what is not run again."""

from __future__ import annotations

import msgspec
import pytest

from loadtests.campaigns.cells import Selection
from loadtests.campaigns.jobs import catalogue, check_selection, jobs_for
from loadtests.campaigns.runner import RunJob, expected_seconds, longest_first
from loadtests.planning.scenario_file import all_scenarios
from shared.errors import UsageError
from tests.loadtests.campaigns.matrix.made_up import CATALOGUE, MATRIX, cell, key

EVERYTHING = Selection()


def planned(selection: Selection = EVERYTHING, *cells: object, again: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    matrix = msgspec.structs.replace(MATRIX, cells=cells)
    return [(job.scenario, *job.architectures) for job in jobs_for(CATALOGUE, selection, matrix, again=again)]


def test_the_cheapest_comes_first_and_what_wants_the_machine_last() -> None:
    assert planned() == [
        ("calm", "sticky-memory", "redis"),
        ("kill", "sticky-memory", "redis"),
        ("cost", "redis"),
    ]
    assert [job.alone for job in jobs_for(CATALOGUE, EVERYTHING, MATRIX)] == [False, False, True]


def test_only_what_was_asked_for() -> None:
    assert planned(Selection(families=("control", "cost"))) == [("calm", "sticky-memory", "redis"), ("cost", "redis")]
    assert planned(Selection(architectures=("sticky-memory",))) == [
        ("calm", "sticky-memory"),
        ("kill", "sticky-memory"),
    ]
    assert planned(Selection(scenarios=("kill",), architectures=("redis",))) == [("kill", "redis")]


def test_what_was_run_is_not_run_again_unless_its_verdict_is_named() -> None:
    done = [cell("calm", "sticky-memory"), cell("calm", "redis", "inconclusive"), cell("kill", "redis")]
    assert planned(EVERYTHING, *done) == [("cost", "redis"), ("kill", "sticky-memory")][::-1]
    assert ("calm", "redis") in planned(EVERYTHING, *done, again=("inconclusive",))


@pytest.mark.parametrize("field", ["scenario_sha256", "seed", "engine", "twinshop"])
def test_what_was_run_with_something_else_does_not_count(field: str) -> None:
    other = msgspec.structs.replace(key("calm"), **{field: 7 if field == "seed" else "other"})
    stale = msgspec.structs.replace(cell("calm", "redis"), key=other)
    assert ("calm", "sticky-memory", "redis") in planned(EVERYTHING, stale)


def test_what_could_not_be_run_is_tried_again() -> None:
    broken = msgspec.structs.replace(cell("calm", "redis"), word="not run")
    assert ("calm", "sticky-memory", "redis") in planned(EVERYTHING, broken)


def test_the_expected_time_counts_neighbours() -> None:
    def job(seconds: float, alone: bool) -> RunJob:
        return RunJob("x", ("redis",), 1, seconds, alone)

    jobs = [job(10, False), job(10, False), job(10, True)]
    assert expected_seconds(jobs, 1) == 30
    assert expected_seconds(jobs, 2) == 20
    assert expected_seconds([job(30, False), job(10, False)], 2) == 30
    assert expected_seconds([], 2) == 0


def test_what_is_compared_as_to_time_runs_on_one_machine_and_begins_first() -> None:
    found = jobs_for(CATALOGUE, EVERYTHING, MATRIX, timed={"kill", "cost"})
    assert [each.scenario for each in found if each.together] == ["cost", "kill"]
    assert [each.scenario for each in longest_first(found)] == ["cost", "kill", "calm"]
    together = sum(each.seconds for each in found if each.together)
    assert expected_seconds(found, 1, 3) == pytest.approx(together)


@pytest.mark.parametrize(
    "selection",
    [Selection(families=("controll",)), Selection(architectures=("reddis",)), Selection(scenarios=("kil",))],
)
def test_a_misspelt_name_is_told_with_the_nearest(selection: Selection) -> None:
    with pytest.raises(UsageError) as caught:
        check_selection(selection, CATALOGUE)
    assert "did you mean" in caught.value.why


def test_the_catalogue_is_what_comes_along_family_by_family() -> None:
    found = [entry.scenario for entry in catalogue()]
    assert sorted(it.name for it in found) == sorted(it.name for it in all_scenarios())
    families = [it.family for it in found]
    assert families == sorted(families)
