"""`twinshop runs`: newest first, with their sentences; and the report of one of them."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from loadtests.cli import main
from loadtests.model.results import Results
from loadtests.model.run_folder import RunFolder, read_document
from tests.loadtests.campaigns.bundles.made_up import finished_run

OLD, NEW, CUT = "20261120-000000-node-kill-1", "20261121-000000-calm-1", "20261122-000000-calm-2"


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "runs"
    for name in (NEW, OLD, CUT):
        finished_run(folder / name)
    (folder / CUT / "results.json").unlink()
    (folder / CUT / "report.html").unlink()
    (folder / "latest").symlink_to(NEW)
    (folder / "matrix").mkdir()
    monkeypatch.chdir(tmp_path)
    return folder


def test_the_newest_is_the_first_and_each_has_its_sentence(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs"]) == 0
    out = capsys.readouterr().out
    assert out.index(CUT) < out.index(NEW) < out.index(OLD)
    results = read_document(RunFolder(runs / NEW).results, Results)
    assert out.count(f"{NEW}  {results.verdict}\n  {results.answer}\n") == 1
    assert f"not judged\n  If it does not go on: twinshop report runs/{CUT}\n" in out
    assert "latest" not in out
    assert "matrix" not in out


def test_a_run_that_is_not_there_is_told_with_those_that_are(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = f"  why:  there are, the newest first: runs/{CUT}, runs/{NEW}, runs/{OLD}\n  next: twinshop runs\n"
    for words in (["check", "9"], ["report", "runs/9"], ["explain", "9", "1"], ["bundle", "9"]):
        assert main(words) == 2
        assert capsys.readouterr().err == f"twinshop: there is no run {words[1]}\n{said}"


def test_where_there_is_no_run_at_all_the_next_step_makes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["check", "runs/latest"]) == 2
    assert capsys.readouterr().err.endswith("why:  there is none yet\n  next: twinshop run node-kill\n")


def test_for_programs(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "calm", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["runs"]
    assert [(run["name"], run["report"]) for run in found] == [(CUT, ""), (NEW, f"runs/{NEW}/report.html")]


def test_it_opens_the_newest_report_of_that_word(
    runs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(click, "launch", opened.append)
    assert main(["runs", "--open"]) == main(["runs", "kill", "--open"]) == 0
    assert opened == [f"runs/{NEW}/report.html", f"runs/{OLD}/report.html"]
    assert capsys.readouterr().out.splitlines() == opened
    assert main(["runs", "soak", "--open"]) == 2
    assert "no report to open" in capsys.readouterr().err


def test_where_there_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--runs", str(tmp_path / "none")]) == 0
    assert "twinshop run node-kill" in capsys.readouterr().out
