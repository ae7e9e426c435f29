"""A run that is judged in several processes, list by list, comes to the same as one that is judged record by record."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from loadtests.judging import judge as judge_module
from loadtests.judging.judge import judge, judge_together
from loadtests.model.run_folder import RunFolder
from loadtests.report import render_report
from loadtests.report.evidence import gather, unheard
from shared.errors import RunFolderError
from tests.bench.big_run import NAMES, write_big_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return write_big_run(tmp_path_factory.mktemp("runs") / "big-run", 6000)


@pytest.fixture
def in_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if it were a big run, on a machine with two processors."""
    monkeypatch.setattr(judge_module, "PAYS_BYTES", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def test_a_model_of_a_big_run_is_as_predicted(run: RunFolder) -> None:
    results = judge(run.root)
    assert results.verdict == "as predicted"
    assert list(results.architectures) == list(NAMES)
    for result in results.architectures.values():
        assert result.reconciliation.mismatch_count == 0
        assert result.reconciliation.client > 1000
    assert results.architectures["sticky-memory"].logged_out.shoppers > 0


def test_the_same_seed_makes_the_same_bytes(run: RunFolder, tmp_path: Path) -> None:
    again = write_big_run(tmp_path / "again", 6000)
    assert again.history.read_bytes() == run.history.read_bytes()
    assert again.plan.read_bytes() == run.plan.read_bytes()


def test_in_processes_it_is_the_same(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    alone, evidence = judge(run.root), gather(run.root)
    monkeypatch.setattr(judge_module, "PAYS_BYTES", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    heard = unheard(run.root)
    together, stories = judge_together(run.root, heard.stories)
    heard.stories.update(stories)
    heard.close()
    assert msgspec.json.encode(together) == msgspec.json.encode(alone)
    assert render_report(run.root, alone, evidence) == render_report(run.root, together, heard)


@pytest.mark.usefixtures("in_processes")
def test_a_damaged_line_is_named_as_ever(tmp_path: Path) -> None:
    """The number of the line counts from the beginning of the file, whoever reads that part of it."""
    run = write_big_run(tmp_path / "run", 2000)
    lines = run.history.read_bytes().splitlines(keepends=True)
    number = len(lines) * 2 // 3
    lines[number] = lines[number].replace(b'"shopper":', b'"shopper"=')
    run.history.write_bytes(b"".join(lines))
    with pytest.raises(RunFolderError, match=f"history\\.ndjson, line {number + 1}: not a history record"):
        judge(run.root)


@pytest.mark.usefixtures("in_processes")
def test_of_two_damaged_logs_the_first_is_named(tmp_path: Path) -> None:
    run = write_big_run(tmp_path / "run", 2000)
    for name in NAMES[1:3]:
        (run.logs(name) / "access.ndjson").write_bytes(f'{{"{name}":\n'.encode() * 3 + b"nonsense\n")
    with pytest.raises(RunFolderError, match=r"access\.ndjson, line 1") as refused:
        judge(run.root)
    assert NAMES[1] in str(refused.value.why)
