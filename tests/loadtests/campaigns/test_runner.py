"""How the jobs are carried out: side by side, whatever happens to one of them, and to the end or to Ctrl-C."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from loadtests.campaigns import runner as conduct
from loadtests.campaigns.cells import Selection, read_matrix
from loadtests.campaigns.jobs import jobs_for, keys_of
from loadtests.campaigns.matrix.matrix_run import MatrixCampaign
from loadtests.campaigns.runner import Outcome, Runner
from shared.errors import Interrupted
from tests.loadtests.campaigns.matrix.made_up import CATALOGUE, MATRIX, FakeLauncher


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conduct, "POLL_S", 0.0)


def runner(folder: Path, launcher: FakeLauncher, *, side_by_side: int = 1) -> Runner:
    matrix = msgspec.structs.replace(MATRIX, side_by_side=side_by_side)
    campaign = MatrixCampaign(folder, matrix, keys_of(CATALOGUE, matrix))
    return Runner(campaign, launcher, lambda _line: None)


def words(folder: Path) -> dict[tuple[str, str], str]:
    return {cell.place: cell.word for cell in read_matrix(folder).cells}


def test_every_cell_is_filled_and_kept(tmp_path: Path) -> None:
    launcher = FakeLauncher(tmp_path)
    runner(tmp_path, launcher).carry_out(jobs_for(CATALOGUE, Selection(), MATRIX))
    cells = read_matrix(tmp_path).by_place()
    assert set(cells) == {
        ("calm", "sticky-memory"), ("calm", "redis"), ("kill", "sticky-memory"), ("kill", "redis"), ("cost", "redis"),
    }  # fmt: skip
    kill = cells["kill", "sticky-memory"]
    assert (kill.measures["logged_out"], kill.at_risk, kill.shoppers, kill.nodes) == (20, 20, 60, 3)
    assert (tmp_path / kill.run / "results.json").is_file()
    assert launcher.told == ["start calm", "end calm", "start kill", "end kill", "start cost", "end cost"]


def test_side_by_side_but_for_what_wants_the_machine(tmp_path: Path) -> None:
    launcher = FakeLauncher(tmp_path)
    runner(tmp_path, launcher, side_by_side=2).carry_out(jobs_for(CATALOGUE, Selection(), MATRIX))
    assert launcher.told == ["start calm", "start kill", "end calm", "end kill", "start cost", "end cost"]


def test_an_error_costs_one_cell_and_the_rest_is_run_without_it(tmp_path: Path) -> None:
    launcher = FakeLauncher(tmp_path, breaks={"sticky-memory": "the node did not start"})
    runner(tmp_path, launcher).carry_out(jobs_for(CATALOGUE, Selection(), MATRIX))
    assert words(tmp_path) == {
        ("calm", "sticky-memory"): "not run",
        ("calm", "redis"): "as predicted",
        ("kill", "sticky-memory"): "not run",
        ("kill", "redis"): "as predicted",
        ("cost", "redis"): "as predicted",
    }
    assert read_matrix(tmp_path).by_place()["calm", "sticky-memory"].why == "the node did not start"


def test_a_run_that_made_nothing_fills_its_cells_with_why(tmp_path: Path) -> None:
    launcher = FakeLauncher(tmp_path)
    jobs = jobs_for(CATALOGUE, Selection(scenarios=("calm",)), MATRIX)
    launcher._ending = lambda job: Outcome(error="no Envoy")  # type: ignore[method-assign]
    runner(tmp_path, launcher).carry_out(jobs)
    cells = read_matrix(tmp_path).cells
    assert {(cell.word, cell.why) for cell in cells} == {("not run", "no Envoy")}
    assert len(cells) == 2


def test_results_that_cannot_be_read_are_no_results(tmp_path: Path) -> None:
    launcher = FakeLauncher(tmp_path)
    launcher._ending = lambda job: Outcome("nowhere", job.architectures)  # type: ignore[method-assign]
    runner(tmp_path, launcher).carry_out(jobs_for(CATALOGUE, Selection(scenarios=("cost",)), MATRIX))
    (cell,) = read_matrix(tmp_path).cells
    assert cell.word == "not run"
    assert "cannot be read" in cell.why


def test_a_run_that_hangs_is_ended_and_cleared_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conduct, "SLACK_S", -1000.0)
    launcher = FakeLauncher(tmp_path, hangs="calm")
    runner(tmp_path, launcher).carry_out(jobs_for(CATALOGUE, Selection(), MATRIX))
    assert launcher.told[:3] == ["start calm", "kill calm", "recover"]
    assert words(tmp_path)["calm", "redis"] == "not run"
    assert words(tmp_path)["kill", "redis"] == "as predicted"


def test_an_interruption_ends_what_goes_on_and_keeps_what_there_is(tmp_path: Path) -> None:
    launcher = FakeLauncher(tmp_path, interrupted_at="cost")
    with pytest.raises(Interrupted):
        runner(tmp_path, launcher, side_by_side=1).carry_out(jobs_for(CATALOGUE, Selection(), MATRIX))
    assert set(words(tmp_path).values()) == {"as predicted"}
    assert len(words(tmp_path)) == 4


def test_a_neighbour_is_interrupted_too_and_its_cells_wait_for_the_next_time(tmp_path: Path) -> None:
    launcher = FakeLauncher(tmp_path, hangs="calm", interrupted_at="kill")
    with pytest.raises(Interrupted):
        runner(tmp_path, launcher, side_by_side=2).carry_out(jobs_for(CATALOGUE, Selection(), MATRIX))
    assert launcher.told == ["start calm", "start kill", "interrupt calm", "end calm"]
    assert words(tmp_path) == {}


def test_a_mistake_in_the_matrix_itself_leaves_no_run_behind(tmp_path: Path) -> None:
    launcher = FakeLauncher(tmp_path, hangs="calm")

    def fail(_job: object) -> object:
        raise RuntimeError("surprise")

    it = runner(tmp_path, launcher, side_by_side=2)
    start = launcher.start
    launcher.start = lambda job: start(job) if job.scenario == "calm" else fail(job)  # type: ignore[assignment,return-value,method-assign]
    with pytest.raises(RuntimeError):
        it.carry_out(jobs_for(CATALOGUE, Selection(), MATRIX))
    assert launcher.told[-2:] == ["kill calm", "recover"]
