"""Tables as Parquet, read back: types, values, and what there is not."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from loadtests import cli
from loadtests.report.exports import parquet_tables
from loadtests.report.exports.judged import JudgedRun
from loadtests.report.exports.parquet_tables import write_parquet
from loadtests.report.exports.tables import ACTIONS, LOSSES, TABLES, ExportTable, Kind
from tests.loadtests.report.exports.runs import HOSTILE, written

TYPES: dict[Kind, pyarrow.DataType] = {
    "text": pyarrow.string(),
    "whole": pyarrow.int64(),
    "number": pyarrow.float64(),
    "yes or no": pyarrow.bool_(),
}


def file_of(table: ExportTable[Any], run: JudgedRun) -> bytes:
    out = BytesIO()
    write_parquet(table, run, out)
    return out.getvalue()


def read_back(table: ExportTable[Any], run: JudgedRun) -> pyarrow.Table:
    return parquet.read_table(BytesIO(file_of(table, run)))


@pytest.mark.parametrize("name", TABLES)
def test_every_column_has_its_type_and_says_what_it_means(run: JudgedRun, name: str) -> None:
    schema = read_back(TABLES[name], run).schema
    heads = TABLES[name].heads()
    assert [(field.name, field.type) for field in schema] == [(head.name, TYPES[head.kind]) for head in heads]
    assert [field.metadata[b"about"].decode() for field in schema] == [head.about for head in heads]


@pytest.mark.parametrize("name", TABLES)
def test_every_value_comes_back(run: JudgedRun, name: str) -> None:
    rows = [tuple(row.values()) for row in read_back(TABLES[name], run).to_pylist()]
    assert rows == list(TABLES[name].rows(run))
    assert rows


def test_what_there_is_not_is_null_and_not_nought(run: JudgedRun) -> None:
    columns = read_back(ACTIONS, run).to_pydict()
    audits = [number for number, why in enumerate(columns["why"]) if why == "audit"]
    assert audits
    assert {columns["number"][at] for at in audits} == {None}
    assert 0 in columns["number"]
    assert None in columns["cart"]
    assert "{}" in columns["cart"]
    assert set(read_back(LOSSES, run).to_pydict()["fault"]) == {0}, "a cart that went with a login, too"


def test_many_row_groups_hold_the_same(run: JudgedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read_back(ACTIONS, run)
    monkeypatch.setattr(parquet_tables, "ROWS_AT_ONCE", 7)
    content = file_of(ACTIONS, run)
    assert parquet.ParquetFile(BytesIO(content)).num_row_groups == -(-whole.num_rows // 7)
    assert parquet.read_table(BytesIO(content)).equals(whole)


def test_a_table_without_rows_still_has_its_columns(run: JudgedRun) -> None:
    empty = ExportTable("none", "", ACTIONS.columns, lambda _run: [])
    found = read_back(empty, run)
    assert (found.num_rows, found.num_columns) == (0, len(ACTIONS.heads()))


def test_hostile_text_comes_back_as_it_was(hostile: JudgedRun) -> None:
    assert set(read_back(ACTIONS, hostile).to_pydict()["scenario"]) == {HOSTILE}


def test_the_same_run_gives_the_same_bytes(run: JudgedRun) -> None:
    for table in (ACTIONS, LOSSES):
        assert file_of(table, run) == file_of(table, run)


def test_the_command_writes_all_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = written(tmp_path / "run").root
    assert cli.main(["export", str(folder), "--to", "parquet"]) == 0
    paths = [folder / "export" / f"{name}.parquet" for name in TABLES]
    assert capsys.readouterr().out.splitlines() == [str(path) for path in paths]
    assert [parquet.read_table(path).num_rows > 0 for path in paths] == [True] * len(TABLES)


def test_one_table_is_led_into_a_file(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    folder = written(tmp_path / "run").root
    assert cli.main(["export", str(folder), "--to", "parquet", "--table", "losses"]) == 0
    content = capfdbinary.readouterr().out
    assert parquet.read_table(BytesIO(content)).column_names == [head.name for head in LOSSES.heads()]
