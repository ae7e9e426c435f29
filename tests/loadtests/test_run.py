"""How a run ends, with everything that takes time put aside: nothing is started and nothing judged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compose.engines.registry import engine_named
from compose.ledger import Ledger
from compose.ledger_file import ledgers
from loadtests import run as module
from loadtests.run import RunRequest, run
from loadtests.running.progress import Silent
from shared.errors import Interrupted


class Said(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)


def nothing(*_: Any) -> Any:
    return None


def interrupt(*_: Any) -> Any:
    raise Interrupted("interrupted by SIGINT")


@pytest.fixture
def carry_out(tmp_path: Path, own_state: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Said], module.Finished]:
    monkeypatch.setattr(module.Measurement, "measure", nothing)
    monkeypatch.setattr(module, "write_results", nothing)
    monkeypatch.setattr(module, "write_report", nothing)
    request = RunRequest("calm", runs=tmp_path / "my runs")
    return lambda said: run(request, engine_named("processes"), said)


def test_latest_points_to_it(carry_out: Callable[[Said], module.Finished], tmp_path: Path) -> None:
    finished = carry_out(Said())
    assert (tmp_path / "my runs" / "latest").resolve() == finished.folder.root.resolve()
    assert finished.interrupted is None


def test_something_else_of_that_name_stays_and_the_run_counts(
    carry_out: Callable[[Said], module.Finished], tmp_path: Path
) -> None:
    mine = tmp_path / "my runs" / "latest"
    mine.mkdir(parents=True)
    said = Said()
    finished = carry_out(said)
    assert mine.is_dir()
    assert not mine.is_symlink()
    assert "latest does not point to this run" in said.lines[-1]
    assert {path.name for path in mine.parent.iterdir()} == {"latest", finished.folder.root.name}


def test_interrupted_while_it_clears_away_it_is_judged_all_the_same(
    carry_out: Callable[[Said], module.Finished], own_state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = Ledger.close

    def close_and_interrupt(ledger: Ledger) -> None:
        close(ledger)
        interrupt()

    monkeypatch.setattr(Ledger, "close", close_and_interrupt)
    said = Said()
    finished = carry_out(said)
    assert finished.interrupted is not None
    assert "judging what there is" in said.lines[-1]
    assert ledgers(own_state) == []


def test_interrupted_while_it_is_judged_it_says_how_to_go_on(
    carry_out: Callable[[Said], module.Finished], own_state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "write_report", interrupt)
    with pytest.raises(Interrupted) as raised:
        carry_out(Said())
    assert raised.value.next_step.startswith("twinshop report '")
    assert "my runs" in raised.value.next_step
    assert ledgers(own_state) == []
