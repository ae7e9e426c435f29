"""Tables as Parquet, typed: text, 64-bit whole numbers, doubles, booleans; every column may be empty (null).

pyarrow, the reference implementation, is no small thing (55 MB), so it comes only when asked for: `twinshop[parquet]`.
The same run gives the same bytes with the same version of pyarrow, which stands in the file.
"""

from __future__ import annotations

from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

from loadtests.report.exports.judged import JudgedRun
from loadtests.report.exports.tables import ExportTable, Kind
from shared.errors import EnvironmentNotReady

if TYPE_CHECKING:
    import pyarrow
    from pyarrow.parquet import ParquetWriter

ROWS_AT_ONCE = 65_536
"""The rows of one row group, which is what is in memory at a time."""


def check_parquet() -> None:
    """Nothing, if Parquet can be written here.

    Raises:
        EnvironmentNotReady: pyarrow is not installed; names the command that installs it.
    """
    if find_spec("pyarrow") is None:
        raise EnvironmentNotReady(
            "cannot write Parquet: pyarrow is not installed",
            why="it is large and few need it, so it comes only when asked for",
            next_step="pip install 'twinshop[parquet]', or export --to csv",
        )


def write_parquet(table: ExportTable[Any], run: JudgedRun, out: BinaryIO) -> None:
    """Write the table, one row group after the other: it need not fit into memory. `check_parquet` comes first."""
    with parquet_writer(table, out) as writer:
        write_rows(writer, table, run)


def parquet_writer(table: ExportTable[Any], out: BinaryIO) -> ParquetWriter:
    """Of a file with that table's columns, to be closed in the end."""
    # Late, here and below: whoever exports something else need not have it installed.
    from pyarrow import parquet

    return parquet.ParquetWriter(out, schema_of(table), compression="zstd")


def write_rows(writer: ParquetWriter, table: ExportTable[Any], run: JudgedRun) -> int:
    """Add a run's rows, in row groups of their own; how many they are."""
    import pyarrow

    schema, rows, count = writer.schema, table.rows(run), 0
    while group := list(islice(rows, ROWS_AT_ONCE)):
        columns = [
            pyarrow.array(values, kind) for values, kind in zip(zip(*group, strict=True), schema.types, strict=True)
        ]
        writer.write_table(pyarrow.Table.from_arrays(columns, schema=schema))
        count += len(group)
    return count


def schema_of(table: ExportTable[Any]) -> pyarrow.Schema:
    """With what each column means, for whoever opens the file without this page."""
    import pyarrow

    kinds: dict[Kind, pyarrow.DataType] = {
        "text": pyarrow.string(),
        "whole": pyarrow.int64(),
        "number": pyarrow.float64(),
        "yes or no": pyarrow.bool_(),
    }
    fields = [pyarrow.field(head.name, kinds[head.kind], metadata={"about": head.about}) for head in table.heads()]
    return pyarrow.schema(fields)
