"""Every form that a run can be exported to. A new one is a file here and a line in one of the two tables below."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from loadtests.report.exports.badge import badge
from loadtests.report.exports.csv_tables import write_csv
from loadtests.report.exports.judged import JudgedRun
from loadtests.report.exports.junit import junit
from loadtests.report.exports.markdown import markdown
from loadtests.report.exports.parquet_tables import check_parquet, write_parquet
from loadtests.report.exports.tables import TABLES, ExportTable
from shared.whole_file import whole_file


class TableForm(msgspec.Struct, frozen=True):
    """How a table is written."""

    write: Callable[[ExportTable[Any], JudgedRun, BinaryIO], None]
    check: Callable[[], None] = lambda: None
    """Raises what is in the way, before the run is read."""
    binary: bool = False
    """Nothing for a terminal."""


DOCUMENTS: dict[str, Callable[[JudgedRun], bytes]] = {"junit": junit, "markdown": markdown, "badge": badge}
"""One text of the whole run."""
TABLE_FORMS: dict[str, TableForm] = {
    "csv": TableForm(write_csv),
    "parquet": TableForm(write_parquet, check_parquet, binary=True),
}
"""One file for each table; its name ends with the form's."""
FORMS = (*TABLE_FORMS, *DOCUMENTS)


def write_one(run: JudgedRun, form: str, table: str | None, out: BinaryIO) -> None:
    """Write a document, or one table."""
    if form in DOCUMENTS:
        out.write(DOCUMENTS[form](run))
    else:
        TABLE_FORMS[form].write(TABLES[table or ""], run, out)


def write_tables(run: JudgedRun, form: str, folder: Path) -> list[Path]:
    """Write all tables into a folder, which is made if need be; their files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{name}.{form}" for name in TABLES}
    for name, path in paths.items():
        with whole_file(path) as out:
            write_one(run, form, name, out)
    return list(paths.values())
