"""The page of exports: the forms, and what the columns of the tables mean."""

from __future__ import annotations

from loadtests.reference.markdown import code, page, table
from loadtests.report.exports.tables import TABLES

FORMS = {
    "csv": "Three tables, for spreadsheets and data frames: UTF-8, what there is not is empty. Text that a spreadsheet "
    "would take for a formula gets an apostrophe before it.",
    "parquet": "The same tables, typed: text, 64-bit whole numbers, doubles, booleans; what there is not is null. "
    "Needs `pip install 'twinshop[parquet]'`.",
    "junit": "One test suite for the run; one case for each verdict, prediction and threshold. Refuted, or fired: a "
    "failure. Inconclusive, or never begun: an error, because a test that could not be carried out must not be green; "
    "what was predicted there is skipped, because it decides nothing.",
    "markdown": "A summary for a pull request: answer, numbers, thresholds, predictions, plan, how to run it again.",
    "badge": "An SVG that says how the run ended.",
}


def exports() -> str:
    """docs/reference/exports.md."""
    parts = []
    for it in TABLES.values():
        parts += [
            f"## The table {code(it.name)}",
            it.about,
            table(("column", "holds", "meaning"), [(code(head.name), head.kind, head.about) for head in it.heads()]),
        ]
    return page(
        "Exports",
        "`twinshop export RUN --to FORM` judges a run's folder again, offline, and writes it in a form that other "
        "machines read: the same run, the same bytes. One file each in "
        "[`loadtests/report/exports`](../../loadtests/report/exports). "
        "[Where each number comes from](results.md); [how to run it in CI](../how-to/run-in-ci.md).",
        table(("form", "what it is"), [(code(name), about) for name, about in FORMS.items()]),
        *parts,
    )
