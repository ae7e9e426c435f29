"""Repeats as evidence for others: checked, put into one file, opened elsewhere; and what takes one run says so."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from loadtests.campaigns.bundles.manifest import NEEDED, missing_files
from loadtests.cli import main
from loadtests.model.run_folder import REPEATS, RunFolder
from tests.loadtests.campaigns.bundles.made_up import files_below
from tests.loadtests.campaigns.repeats.test_repeats_run import carry_out


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    done, _ = carry_out(tmp_path_factory.mktemp("repeats"))
    return done.folder


@pytest.fixture
def repeats(made: Path, tmp_path: Path) -> Path:
    """A folder that a test may change."""
    return Path(shutil.copytree(made, tmp_path / "repeats"))


def test_they_are_checked_and_nothing_is_written(repeats: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files_below(repeats)
    assert main(["check", str(repeats)]) == 0
    assert "repeats.json and every results.json agree with the evidence" in capsys.readouterr().out
    assert files_below(repeats) == before


def test_a_number_that_was_changed_in_them_is_found(repeats: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = repeats / REPEATS
    path.write_text(path.read_text().replace('"logged_out": ', '"logged_out": 1', 1))
    assert main(["check", str(repeats)]) == 2
    assert "says otherwise than its runs" in capsys.readouterr().err


def test_evidence_that_was_changed_below_them_is_found(repeats: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = RunFolder(repeats / "2-fault")
    lines = run.history.read_text().splitlines(keepends=True)
    run.history.write_text("".join(line for line in lines if '"checkout"' not in line))
    assert main(["check", str(repeats)]) == 1, "its results lack losses that this history proves"
    assert "2-fault" in capsys.readouterr().err


def test_all_of_it_goes_into_one_file_and_comes_back(
    repeats: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = tmp_path / "all.zip"
    assert main(["bundle", str(repeats), "--out", str(bundle)]) == 0
    assert main(["check", str(bundle)]) == 0
    assert f"report   in the bundle: twinshop open {bundle}" in capsys.readouterr().out
    assert main(["open", str(bundle), "--into", str(tmp_path / "elsewhere")]) == 0
    (opened,) = (tmp_path / "elsewhere").iterdir()
    assert opened.name.endswith("-node-kill-x2")
    assert files_below(opened) == files_below(repeats)
    assert main(["report", str(opened)]) == 0
    assert files_below(opened) == files_below(repeats)


def test_a_run_that_they_name_must_be_there(repeats: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(repeats / "1-fault")
    assert main(["bundle", str(repeats), "--out", str(tmp_path / "all.zip")]) == 2
    assert "1-fault" in capsys.readouterr().err
    assert not (tmp_path / "all.zip").exists()


def test_every_run_of_them_must_be_whole() -> None:
    whole = [f"{run}/{name}" for run in ("one", "other") for name in NEEDED]
    assert missing_files([REPEATS, *whole]) == []
    assert missing_files([REPEATS, *whole[:-1]]) == [whole[-1]]
    assert missing_files(whole) == list(NEEDED)


@pytest.mark.parametrize("words", [["compare", "RUN", "RUN"], ["export", "RUN", "--to", "csv"]])
def test_what_takes_one_run_says_so(repeats: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(repeats) if word == "RUN" else word for word in words]) == 2
    told = capsys.readouterr().err
    assert "is the folder of repeats, not of one run" in told
    assert f"ls {repeats}" in told
