"""`twinshop matrix` and `twinshop claims` as a user calls them, with runs that are made up; and one that is not."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import msgspec
import pytest

from compose.supervision.ledger_file import ledgers
from loadtests.campaigns import runner as conduct
from loadtests.campaigns.cells import Selection, read_matrix
from loadtests.campaigns.jobs import entries_for
from loadtests.campaigns.matrix import matrix_run as whole
from loadtests.campaigns.matrix.matrix_run import MatrixDone, MatrixRequest, catalogue, for_balancer, run_matrix, timed
from loadtests.cli import main
from loadtests.running.application import ApplicationUnderTest
from shared.errors import Busy, RunFolderError, UsageError
from tests.applications import BROKEN
from tests.left_behind import processes_of
from tests.loadtests.campaigns.matrix.made_up import CATALOGUE, FakeLauncher
from tests.loadtests.command import start
from tests.waiting import until


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the matrix lies; its catalogue is the made-up one."""
    monkeypatch.setattr(conduct, "POLL_S", 0.0)
    monkeypatch.setattr(whole, "catalogue", lambda: CATALOGUE)
    monkeypatch.setattr(whole, "timed", frozenset)
    return tmp_path / "matrix"


def ask(folder: Path, launcher: FakeLauncher, **changes: object) -> MatrixDone:
    asked = MatrixRequest(Selection(), "processes", 1, folder, **changes)  # type: ignore[arg-type]
    return run_matrix(asked, lambda _line: None, launcher)


def test_it_is_run_once_and_then_known(folder: Path) -> None:
    first = FakeLauncher(folder)
    done = ask(folder, first)
    assert len(first.jobs) == 3
    assert set(done.board.count()) == {"as predicted"}
    assert done.page.read_bytes().startswith(b"<!doctype html>")
    again = FakeLauncher(folder)
    ask(folder, again)
    assert again.jobs == []


def test_an_application_is_asked_what_it_can_be_and_a_changed_description_is_another_one(folder: Path) -> None:
    app = ApplicationUnderTest.load(BROKEN / "app.toml")
    offered = {entry.scenario.name: entry.scenario.architectures for entry in entries_for(app)}
    assert offered["node-kill"] == ("broken-memory", "broken-shared", "broken-token")
    assert not {"key-swap", "canary", "two-tabs", "memory-cap"} & set(offered)
    first, again, other = (FakeLauncher(folder) for _ in range(3))
    asked = MatrixRequest(Selection(scenarios=("calm",)), "processes", 1, folder, application=app)
    done = run_matrix(asked, lambda _line: None, first)
    assert [family.columns for family in done.board.families] == [offered["calm"]]
    assert b"broken-token" in done.page.read_bytes()
    run_matrix(asked, lambda _line: None, again)
    changed = msgspec.structs.replace(app, sha256="0" * 64)
    run_matrix(msgspec.structs.replace(asked, application=changed), lambda _line: None, other)
    assert [len(launcher.jobs) for launcher in (first, again, other)] == [1, 0, 1]


def test_another_seed_or_fresh_runs_it_again(folder: Path) -> None:
    ask(folder, FakeLauncher(folder))
    fresh = FakeLauncher(folder)
    asked = MatrixRequest(Selection(scenarios=("calm",)), "processes", 1, folder, fresh=True)
    run_matrix(asked, lambda _line: None, fresh)
    assert [job.scenario for job in fresh.jobs] == ["calm"]
    other = FakeLauncher(folder)
    run_matrix(MatrixRequest(Selection(scenarios=("kill",)), "processes", 2, folder), lambda _line: None, other)
    assert [job.seed for job in other.jobs] == [2]


def test_interrupted_it_writes_what_there_is_and_goes_on_the_next_time(folder: Path) -> None:
    done = ask(folder, FakeLauncher(folder, interrupted_at="cost"))
    assert done.interrupted is not None
    assert "goes on where it ended" in done.interrupted.next_step
    assert "not requested yet" in done.page.read_text()
    rest = FakeLauncher(folder)
    assert ask(folder, rest).interrupted is None
    assert [job.scenario for job in rest.jobs] == ["cost"]


def test_the_machine_is_held_while_it_runs(folder: Path, own_state: Path) -> None:
    from compose.supervision.ledger import hold_machine

    with hold_machine(own_state), pytest.raises(Busy):
        ask(folder, FakeLauncher(folder))


def test_a_selection_that_leaves_nothing_is_told(folder: Path) -> None:
    asked = MatrixRequest(Selection(scenarios=("cost",), architectures=("sticky-memory",)), "processes", 1, folder)
    with pytest.raises(UsageError, match="no scenario is left"):
        run_matrix(asked, lambda _line: None, FakeLauncher(folder))


def test_claims_are_decided_from_what_was_run_and_only_from_that(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["claims", "--out", str(tmp_path / "nowhere")]) == 2
    assert "there is no matrix" in capsys.readouterr().err
    ask(folder, FakeLauncher(folder))
    assert main(["claims", "--out", str(folder), "--json"]) == 0
    claims = json.loads(capsys.readouterr().out)["claims"]
    assert [it["claim"]["id"] for it in claims] == [f"C{number}" for number in range(1, 19)]
    assert {it["word"] for it in claims} == {"not decided"}, "the made-up cells are of other scenarios than the claims"
    assert main(["claims", "--out", str(folder)]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 120
    assert f"{folder}/matrix.html#claims" in out


def test_a_damaged_matrix_is_told(folder: Path) -> None:
    folder.mkdir()
    (folder / "matrix.json").write_text("{")
    with pytest.raises(RunFolderError, match="damaged"):
        ask(folder, FakeLauncher(folder))


def test_scenarios_whose_times_decide_a_claim_run_alone() -> None:
    assert {"cost-near", "cost-far", "spike", "soak"} <= timed()
    assert "node-kill" not in timed()


WORDS = ("matrix", "--scenario", "replay-after-logout", "--architecture", "signed-token", "--out", "m")


@pytest.mark.cluster
def test_a_real_run_fills_a_real_cell(tmp_path: Path, own_state: Path) -> None:
    process = start(tmp_path, *WORDS, "--json")
    out, err = process.communicate(timeout=200)
    assert process.returncode in (0, 3), err  # a machine that is too busy makes it inconclusive, never refuted
    (cell,) = json.loads(out)["cells"]
    assert (cell["scenario"], cell["architecture"]) == ("replay-after-logout", "signed-token")
    assert cell["measures"]["still_logged_in"] > 0
    assert (tmp_path / "m" / cell["run"] / "report.html").is_file()
    assert f"{cell['run']}/report.html#arch-signed-token" in (tmp_path / "m" / "matrix.html").read_text()
    assert processes_of(own_state) == {}
    assert ledgers(own_state) == []


@pytest.mark.cluster
def test_ctrl_c_ends_it_in_order(tmp_path: Path, own_state: Path) -> None:
    process = start(tmp_path, *WORDS)
    assert until(lambda: len(processes_of(own_state)) > 4, 60)  # itself, its run, the balancer, nodes
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert time.monotonic() - began < 40
    assert process.returncode == 130, err
    assert read_matrix(tmp_path / "m").cells == ()
    assert (tmp_path / "m" / "matrix.html").is_file()
    assert processes_of(own_state) == {}
    assert ledgers(own_state) == []


@pytest.mark.cluster
def test_a_matrix_that_is_killed_takes_its_runs_with_it(tmp_path: Path, own_state: Path) -> None:
    process = start(tmp_path, *WORDS)
    assert until(lambda: len(processes_of(own_state)) > 4, 60)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=20)
    assert until(lambda: processes_of(own_state) == {}, 30)
    assert ledgers(own_state) == []


def test_a_scenario_with_a_balancer_of_its_own_keeps_it_unless_the_matrix_is_of_another() -> None:
    (entry,) = [each for each in catalogue() if each.scenario.name == "stick-table-forgotten"]
    assert for_balancer(entry, "envoy").scenario.architectures == entry.scenario.architectures
    elsewhere = for_balancer(entry, "caddy").scenario
    assert elsewhere.architectures == ()
    assert "lacks: affinity table" in elsewhere.without["sticky-memory"]
