"""A data set of recorded runs: written, verified by the second opinion, and every number changed by hand is named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from loadtests.campaigns.bundles.unpack import unpack
from loadtests.campaigns.cells import CellKey, Matrix, cell_of, write_matrix
from loadtests.campaigns.dataset.verify import verify, verify_run
from loadtests.campaigns.dataset.write import SUMS, sums, write_dataset
from loadtests.cli import main
from loadtests.judging.judge import judge
from shared.errors import BundleError, RunFolderError, UsageError

NewValue = Callable[[dict[str, object]], object]
GOLDEN = Path(__file__).parents[3] / "golden" / "runs"
RUNS = ("node-kill", "checkout-retried-without-keys")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data set of a matrix of two recorded runs."""
    place = tmp_path_factory.mktemp("dataset")
    campaign = place / "matrix"
    matrix = Matrix(seed=1, engine="processes", twinshop="0.1.0")
    for name in RUNS:
        folder = unpack(GOLDEN / f"{name}.zip", campaign)
        results = judge(folder)
        cells = tuple(
            cell_of(results, each, key=CellKey("0", 1, "processes", "0.1.0"), run=folder.name, machine="m1")
            for each in results.architectures
        )
        matrix = matrix.with_cells(cells)
    write_matrix(campaign, matrix)
    write_dataset(campaign, place / "data", "CC0-1.0", lambda _line: None)
    return place / "data"


@pytest.fixture
def copy(published: Path, tmp_path: Path) -> Path:
    """One that may be changed."""
    folder = tmp_path / "copy"
    folder.mkdir()
    for path in published.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def runs_of(folder: Path) -> dict[str, str]:
    rows = parquet.read_table(folder / "runs.parquet").to_pylist()
    return {row["scenario"]: row["run"] for row in rows}


def change(
    folder: Path, table: str, column: str, new: Callable[[dict[str, object]], object], *, drop: int = -1
) -> None:
    """By hand, with the sums made anew."""
    path = folder / f"{table}.parquet"
    old = parquet.read_table(path)
    rows = [row for at, row in enumerate(old.to_pylist()) if at != drop]
    for row in rows:
        row[column] = new(row)
    parquet.write_table(pyarrow.Table.from_pylist(rows, schema=old.schema), path)
    (folder / SUMS).write_text(sums(folder))


def test_every_number_agrees(published: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(published), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["runs"], told["differences"]) == (2, [])
    assert told["numbers"] > 500
    assert "logged_out" not in told["left_out"]


def test_the_readme_names_every_column_and_the_sums_hold(published: Path) -> None:
    readme = (published / "README.md").read_text()
    for path in published.glob("*.parquet"):
        assert f"## {path.name}" in readme
        for name in parquet.read_schema(path).names:
            assert f"| {name} |" in readme
    assert "| started_us | whole | µs |" in readme
    assert "| body_bytes | whole | bytes |" in readme
    assert "CC0-1.0" in readme
    for line in (published / SUMS).read_text().splitlines():
        digest, _, name = line.partition("  ")
        assert hashlib.sha256((published / name).read_bytes()).hexdigest() == digest


def test_a_number_of_a_cell_changed_by_hand_is_named(copy: Path) -> None:
    def more(row: dict[str, object]) -> object:
        mine = (row["scenario"], row["architecture"], row["measure"]) == ("node-kill", "sticky-memory", "logged_out")
        return row["value"] + 1 if mine else row["value"]  # type: ignore[operator]

    change(copy, "cells", "value", more)
    (line,) = verify_run(copy, runs_of(copy)["node-kill"]).differences
    assert "sticky-memory: logged_out: " in line
    assert verify_run(copy, runs_of(copy)["checkout-retried-without-keys"]).differences == ()


def test_a_number_of_the_results_changed_by_hand_is_named_by_the_second_opinion(copy: Path) -> None:
    def more(row: dict[str, object]) -> object:
        results = json.loads(str(row["results"]))
        for result in results["architectures"].values():
            result["carts_lost"] += 1
        return json.dumps(results)

    change(copy, "runs", "results", more)
    found = verify_run(copy, runs_of(copy)["node-kill"]).differences
    assert any("carts_lost" in line for line in found)


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("cells", "holds", None),
        ("cells", "unit", "miles"),
        ("losses", "cause", "unexplained"),
        ("losses", "shopper", 999),
        ("losses", "node", "n9"),
        ("faults", "at_ms", 1.0),
        ("faults", "victim", "n9"),
        ("runs", "verdict", "another"),
        ("runs", "plan_sha256", "0" * 64),
    ],
)
def test_a_row_changed_by_hand_is_named(copy: Path, table: str, column: str, value: object) -> None:
    change(copy, table, column, lambda _row: value)
    found = verify_run(copy, runs_of(copy)["node-kill"]).differences
    assert any(f"{column} {value} published" in line for line in found)


def test_a_row_that_is_taken_out_is_named_and_nothing_else(copy: Path) -> None:
    for table in ("losses", "faults", "cells"):
        change(copy, table, "seed", lambda row: row["seed"], drop=1)
    names = runs_of(copy).values()
    found = [line for run in names for line in verify_run(copy, run).differences]
    assert len(found) == 3
    assert all(line.endswith("recomputed, not published") for line in found)


def test_an_exchange_that_is_taken_out_is_noticed(copy: Path) -> None:
    table = parquet.read_table(copy / "actions.parquet").to_pylist()
    at = next(at for at, row in enumerate(table) if row["scenario"] == "node-kill" and row["status"] == 401)
    change(copy, "actions", "why", lambda row: row["why"], drop=at)
    assert verify_run(copy, runs_of(copy)["node-kill"]).differences


def test_another_file_than_the_sums_say_is_named(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copy / "README.md").write_text("another")
    assert main(["verify", str(copy)]) == 1
    assert "README.md is not what SHA256SUMS says" in capsys.readouterr().out


def test_what_is_no_data_set_is_told(
    tmp_path: Path, published: Path, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(tmp_path / "nope")]) == 2
    assert f"why:  {tmp_path}/nope/SHA256SUMS: No such file or directory\n" in capsys.readouterr().err
    with pytest.raises(BundleError, match="is no data set"):
        verify_run(tmp_path, "x")
    (copy / "cells.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(BundleError, match="is no data set") as told:
        verify_run(copy, "x")
    assert "cells.parquet" in told.value.why
    with pytest.raises(RunFolderError, match="is no campaign"):
        write_dataset(tmp_path, tmp_path / "out", "CC0-1.0", lambda _line: None)
    with pytest.raises(UsageError, match="is there already"):
        write_dataset(published.parent / "matrix", published, "CC0-1.0", lambda _line: None)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("lie", [None, "", "{}", "["])
@pytest.mark.parametrize("column", ["results", "provenance", "plan"])
def test_a_document_that_is_none_is_a_difference(copy: Path, column: str, lie: str | None) -> None:
    run = runs_of(copy)["node-kill"]
    change(copy, "runs", column, lambda row: lie if row["run"] == run else row[column])
    (told,) = verify_run(copy, run).differences
    assert told.startswith(f"run {run}: its {column} cannot be read")


@pytest.mark.parametrize(("table", "column"), [("actions", "cart"), ("orders", "lines")])
def test_a_cart_that_is_none_is_a_difference(copy: Path, table: str, column: str) -> None:
    run = runs_of(copy)["node-kill"]
    change(copy, table, column, lambda _row: "{")
    (told,) = verify_run(copy, run).differences
    assert told.startswith(f"run {run}: a cart or an order cannot be read")


@pytest.mark.parametrize(
    "told_apart",
    [
        pytest.param(lambda _row: None, id="no id"),
        pytest.param(lambda _row: "", id="an empty one"),
        pytest.param(lambda _row: "d1d996c7", id="the same"),
    ],
)
def test_runs_that_cannot_be_told_apart_are_no_data_set(copy: Path, told_apart: NewValue) -> None:
    change(copy, "runs", "run", told_apart)
    with pytest.raises(BundleError) as refused:
        verify(copy, lambda _line: None)
    assert refused.value.why == "runs.parquet has no run, or one without an id of its own"


def test_no_run_is_nothing_that_agrees(copy: Path) -> None:
    change(copy, "runs", "run", lambda row: row["run"], drop=1)
    change(copy, "runs", "run", lambda row: row["run"], drop=0)
    with pytest.raises(BundleError):
        verify(copy, lambda _line: None)


def test_what_is_no_file_is_told_by_name(copy: Path) -> None:
    (copy / "actions.parquet").unlink()
    (copy / "actions.parquet").mkdir()
    with pytest.raises(BundleError) as refused:
        verify(copy, lambda _line: None)
    assert refused.value.why == f"{copy / 'actions.parquet'}: Is a directory"


def test_a_run_that_lies_elsewhere_is_not_published(tmp_path: Path) -> None:
    campaign = tmp_path / "matrix"
    campaign.mkdir()
    elsewhere = unpack(GOLDEN / "node-kill.zip", tmp_path)
    results = judge(elsewhere)
    key = CellKey("0", 1, "processes", "0.1.0")
    cells = tuple(cell_of(results, it, key=key, run=f"../{elsewhere.name}", machine="") for it in results.architectures)
    write_matrix(campaign, Matrix(seed=1, engine="processes", twinshop="0.1.0").with_cells(cells))
    with pytest.raises(RunFolderError, match="names a run that is not there"):
        write_dataset(campaign, tmp_path / "data", "CC0-1.0", lambda _line: None)
    assert not (tmp_path / "data").exists()
