"""How a run ends, with everything that takes time put aside: nothing is started and nothing judged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from compose.cluster import Limits
from compose.engines.registry import engine_named
from compose.supervision.ledger import Ledger
from compose.supervision.ledger_file import ledgers
from loadtests.commands.run import run as run_command
from loadtests.planning.scenario_file import read_scenario
from loadtests.running import run as module
from loadtests.running.progress import Silent
from loadtests.running.run import RunRequest, command_of, limits_of, run
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


def test_latest_does_not_point_to_one_that_was_interrupted(
    carry_out: Callable[[Said], module.Finished], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = carry_out(Said()).folder.root
    monkeypatch.setattr(module, "now_utc", lambda: datetime(2030, 1, 1, tzinfo=UTC))
    monkeypatch.setattr(module.Measurement, "measure", interrupt)
    cut = carry_out(Said())
    assert cut.interrupted is not None
    assert cut.folder.root != whole
    assert (tmp_path / "my runs" / "latest").resolve() == whole.resolve()


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


class TestLimits:
    @staticmethod
    def of(text: str) -> Limits:
        content = f'question = "Which limits?"\nfamily = "control"\n{text}'.encode()
        return limits_of(read_scenario(content, file="limits.toml", name="limits"))

    def test_the_settings_of_the_scenario_change_those_that_it_names(self) -> None:
        assert self.of("[settings]\nstore_retries = 2\n") == Limits(store_retries=2)

    def test_faults_prepare_what_they_need(self) -> None:
        assert self.of('[[fault]]\nkind = "kill"\nat_s = 1.0\n') == Limits()
        assert self.of('[[fault]]\nkind = "workers"\n').node_workers == 2
        assert self.of('[[fault]]\nkind = "store-full"\nat_s = 1.0\n').store_memory_mb > 0

    def test_a_setting_stands_where_a_fault_would_have_chosen(self) -> None:
        found = self.of('[settings]\nstore_memory_mb = 3\n\n[[fault]]\nkind = "store-full"\nat_s = 1.0\n')
        assert found.store_memory_mb == 3


@pytest.mark.parametrize("repeats", [0, 3])
def test_the_command_that_does_it_again_asks_for_the_same(repeats: int) -> None:
    request = RunRequest("calm", seed=7, shoppers=12, workers=2, balancer="haproxy")
    command = command_of(request, ("redis", "sticky-memory"), "docker", repeats)
    asked = run_command.make_context("run", list(command[2:])).params
    told = {"scenario": "calm", "seed": 7, "shoppers": 12, "workers": 2, "balancer": "haproxy"}
    also = {"architectures": ("redis", "sticky-memory"), "engine_name": "docker", "repeat": repeats or None}
    assert told | also == {name: asked[name] for name in told | also}
    assert command[:2] == ("twinshop", "run")
