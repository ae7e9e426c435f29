"""One run of a campaign in a process of its own: when it goes well, breaks in the middle, or is interrupted."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from loadtests.campaigns import one_run
from loadtests.campaigns.one_run import RunOrder, carry_out
from loadtests.campaigns.runner import Outcome, RunJob
from loadtests.model.events import RunInterrupted
from loadtests.model.run_folder import RunFolder
from loadtests.running.run import Finished, write_report, write_results
from shared.errors import EnvironmentNotReady, Interrupted
from tests.loadtests.model_run import write_run
from tests.waiting import until

NAME = "20261121-000000-model-1"


def order(folder: Path) -> RunOrder:
    return RunOrder(RunJob("model", ("sticky-memory", "redis"), 1, 1.0), "processes", str(folder), os.getpid())


def pretend(monkeypatch: pytest.MonkeyPatch, folder: Path, *, fails: Exception | None, judged: bool) -> None:
    """`run` leaves a run folder of models; then it returns, or raises."""

    def run(*_: Any, **held: Any) -> Finished:
        assert held == {"held": True}
        made = write_run(folder / NAME)
        if fails is not None:
            cut = msgspec.json.encode(RunInterrupted("redis", 5, "no node")) + b"\n"
            made.events.write_bytes(made.events.read_bytes() + cut)
        if judged:
            write_report(made, write_results(made))
        if fails is not None:
            raise fails
        return Finished(made, write_results(made))

    monkeypatch.setattr(one_run, "run", run)


def test_it_names_what_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, tmp_path, fails=None, judged=True)
    assert carry_out(order(tmp_path)) == Outcome(NAME, ("sticky-memory", "redis"))


def test_what_was_measured_before_an_error_is_judged_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, tmp_path, fails=EnvironmentNotReady("no port", why="all taken"), judged=False)
    ending = carry_out(order(tmp_path))
    assert ending == Outcome(NAME, ("sticky-memory",), {"redis": "no node"}, "no port (all taken)")
    assert RunFolder(tmp_path / NAME).results.is_file()
    assert RunFolder(tmp_path / NAME).report.is_file()


def test_a_report_that_cannot_be_written_takes_no_result_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("no width")

    pretend(monkeypatch, tmp_path, fails=ZeroDivisionError("no width"), judged=False)
    monkeypatch.setattr(one_run, "write_report", fail)
    ending = carry_out(order(tmp_path))
    assert ending.measured == ("sticky-memory",)
    assert ending.error == "internal error: ZeroDivisionError: no width"
    assert "Traceback" in capsys.readouterr().err


def test_interrupted_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, tmp_path, fails=Interrupted("interrupted by SIGINT"), judged=True)
    ending = carry_out(order(tmp_path))
    assert (ending.interrupted, ending.measured, ending.error) == (True, ("sticky-memory",), "")


def test_a_run_that_made_no_folder_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: Any, **__: Any) -> Finished:
        raise EnvironmentNotReady("no Envoy")

    monkeypatch.setattr(one_run, "run", run)
    assert carry_out(order(tmp_path)) == Outcome(error="no Envoy")


def test_an_older_run_of_the_same_name_is_not_taken_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(tmp_path / "20251121-000000-model-1")
    pretend(monkeypatch, tmp_path, fails=None, judged=True)
    assert carry_out(order(tmp_path)).run == NAME
    shutil.rmtree(tmp_path / NAME)


def test_it_ends_when_the_campaign_is_gone() -> None:
    """Its parent is this process, not the one that it was told of."""
    words = "import time; from loadtests.campaigns.one_run import _end_with; _end_with(1); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", words])
    assert until(lambda: process.poll() is not None, 30)
    assert process.wait() == -signal.SIGTERM
