"""`twinshop export`: where what is written goes, and what is said of slips."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from loadtests import cli
from loadtests.campaigns.bundles.pack import pack
from loadtests.commands import export
from loadtests.report.exports import forms, parquet_tables
from loadtests.report.exports.badge import badge
from loadtests.report.exports.judged import judged_run
from loadtests.report.exports.junit import junit
from loadtests.report.exports.markdown import markdown
from loadtests.report.exports.tables import TABLES
from tests.loadtests.report.exports.runs import refuted_run, written

MAKE = {"junit": junit, "markdown": markdown, "badge": badge}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return written(tmp_path / "run").root


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(capsys: pytest.CaptureFixture[str], code: int, *words: str) -> str:
    """It ended with that code, and nothing on standard output."""
    assert cli.main(["export", *words]) == code
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


def test_the_command_knows_all_forms_and_tables() -> None:
    assert sorted(export.FORMS) == sorted(forms.FORMS)
    assert list(export.TABLES) == list(TABLES)


@pytest.mark.parametrize("form", MAKE)
def test_a_document_goes_to_standard_output_and_changes_nothing(
    folder: Path, capfdbinary: pytest.CaptureFixture[bytes], form: str
) -> None:
    before = files(folder)
    assert cli.main(["export", str(folder), "--to", form]) == 0
    assert capfdbinary.readouterr().out == MAKE[form](judged_run(folder))
    assert files(folder) == before


@pytest.mark.parametrize("form", MAKE)
def test_or_into_a_file_with_all_folders_above_it(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    out = tmp_path / "not" / "yet" / "there"
    assert cli.main(["export", str(folder), "--to", form, "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert out.read_bytes() == MAKE[form](judged_run(folder))
    assert list(out.parent.iterdir()) == [out]


def test_both_tables_go_into_a_folder_of_the_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(folder)
    assert cli.main(["export", str(folder), "--to", "csv"]) == 0
    paths = [folder / "export" / f"{name}.csv" for name in TABLES]
    assert capsys.readouterr().out.splitlines() == [str(path) for path in paths]
    first = [path.read_bytes() for path in paths]
    assert set(files(folder)) - set(before) == {f"export/{name}.csv" for name in TABLES}
    assert cli.main(["export", str(folder), "--to", "csv"]) == 0
    assert [path.read_bytes() for path in paths] == first


def test_or_into_a_folder_of_that_name(folder: Path, tmp_path: Path) -> None:
    assert cli.main(["export", str(folder), "--to", "csv", "--out", str(tmp_path / "tables")]) == 0
    assert sorted(path.name for path in (tmp_path / "tables").iterdir()) == [
        "actions.csv",
        "losses.csv",
        "measures.csv",
    ]
    assert not (folder / "export").exists()


@pytest.mark.parametrize("name", TABLES)
def test_one_table_is_a_document(folder: Path, capfdbinary: pytest.CaptureFixture[bytes], name: str) -> None:
    assert cli.main(["export", str(folder), "--to", "csv"]) == 0
    capfdbinary.readouterr()
    assert cli.main(["export", str(folder), "--to", "csv", "--table", name]) == 0
    assert capfdbinary.readouterr().out == (folder / "export" / f"{name}.csv").read_bytes()


def test_a_run_that_was_refuted_is_exported_as_well(tmp_path: Path) -> None:
    run = refuted_run(tmp_path / "run")
    assert run.results.verdict == "not as predicted"
    assert cli.main(["export", str(run.folder.root), "--to", "markdown"]) == 0


def test_a_reader_may_leave_before_the_end(folder: Path) -> None:
    words = [sys.executable, "-m", "loadtests.cli", "export", str(folder), "--to", "csv", "--table", "actions"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdout.close()
        said = program.stderr.read()
    assert (program.returncode, said) == (0, b"")


def test_a_folder_that_is_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "run.json" in refused(capsys, 2, str(tmp_path), "--to", "junit")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--to", "junit", "--table", "losses"], "junit has no tables"),
        (["--to", "yaml"], "'yaml' is not one of"),
        ([], "Missing option '--to'"),
        (["--to", "csv", "--table", "people"], "'people' is not one of"),
    ],
)
def test_slips(folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], says: str) -> None:
    assert says in refused(capsys, 2, str(folder), *words)


def test_a_place_of_the_wrong_kind(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("mine")
    assert "no folder" in refused(capsys, 2, str(folder), "--to", "csv", "--out", str(tmp_path / "file"))
    assert "is a folder" in refused(capsys, 2, str(folder), "--to", "junit", "--out", str(tmp_path))
    assert (tmp_path / "file").read_text() == "mine"


def test_without_pyarrow_the_command_that_installs_it_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(parquet_tables, "find_spec", lambda _name: None)
    said = refused(capsys, 4, str(folder), "--to", "parquet")
    assert "pip install 'twinshop[parquet]'" in said
    assert not (folder / "export").exists()


def test_parquet_is_nothing_for_a_terminal(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    said = refused(capsys, 2, str(folder), "--to", "parquet", "--table", "losses")
    assert "--out losses.parquet" in said


def test_a_bundle_is_exported_like_the_run_that_is_in_it(
    folder: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    bundle = tmp_path / "run.zip"
    pack(folder, bundle)
    assert cli.main(["export", str(bundle), "--to", "junit"]) == 0
    assert capfdbinary.readouterr().out == junit(judged_run(folder))
    assert cli.main(["export", str(bundle), "--to", "csv", "--out", str(tmp_path / "tables")]) == 0
    assert (tmp_path / "tables" / "losses.csv").is_file()


def test_the_tables_of_a_bundle_need_a_folder(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = tmp_path / "run.zip"
    pack(folder, bundle)
    assert "--out FOLDER" in refused(capsys, 2, str(bundle), "--to", "csv")
