"""Tables as CSV (RFC 4180): UTF-8, one head, what there is not is empty.

`yes or no` is `true` or `false`. Text that a spreadsheet would take for a formula gets an apostrophe before it, as
OWASP advises; nothing that Twinshop writes by itself begins so.
"""

import codecs
import csv
from typing import Any, BinaryIO

from loadtests.report.exports.judged import JudgedRun
from loadtests.report.exports.tables import ExportTable, Value

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def write_csv(table: ExportTable[Any], run: JudgedRun, out: BinaryIO) -> None:
    """Write the table, row by row: it need not fit into memory."""
    # No TextIOWrapper, which would close what it writes to with itself: that may be standard output.
    writer = csv.writer(codecs.getwriter("utf-8")(out), lineterminator="\r\n")
    writer.writerow([head.name for head in table.heads()])
    for row in table.rows(run):
        writer.writerow([_cell(value) for value in row])


def _cell(value: Value) -> Value:
    # First, as Python takes a boolean for a number.
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
