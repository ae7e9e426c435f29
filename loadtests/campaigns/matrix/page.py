"""The matrix as one HTML page, in the report's own style: `matrix.html`. The same files give the same bytes."""

from __future__ import annotations

from pathlib import Path

from loadtests.campaigns.cells import (
    EVERYTHING,
    FINDINGS,
    MARKS,
    REFUTED,
    Cell,
    CellWord,
    Matrix,
    Selection,
    leading,
    relation,
    second_look,
)
from loadtests.campaigns.claims import Decision
from loadtests.campaigns.jobs import Entry
from loadtests.campaigns.matrix.board import board_of
from loadtests.checks import MEASURES
from loadtests.model.measures import spoken
from loadtests.model.run_folder import RunFolder
from loadtests.model.wording import number, readable
from loadtests.report.palette import side
from loadtests.report.shell import PageShell
from shared.whole_file import write_whole

FILE = "matrix.html"
SHELL = PageShell(
    Path(__file__).parent, style=("matrix.css",), number=number, formula=readable, relation=relation, spoken=spoken
)
CLASSES: dict[CellWord, str] = {
    "as predicted": "predicted", "refuted and understood": "understood",
    "not as predicted": "refuted", "inconclusive": "inconclusive", "not run": "not-run",
}  # fmt: skip


def write_page(
    folder: Path, matrix: Matrix, entries: tuple[Entry, ...], decisions: tuple[Decision, ...],
    asked: Selection = EVERYTHING,
) -> Path:  # fmt: skip
    """Write the page beside `matrix.json` and return where it is."""
    path = folder / FILE
    write_whole(path, render(folder, matrix, entries, decisions, asked))
    return path


def render(
    folder: Path, matrix: Matrix, entries: tuple[Entry, ...], decisions: tuple[Decision, ...],
    asked: Selection = EVERYTHING,
) -> bytes:  # fmt: skip
    """The page: of what was asked for and nothing else. Links only to reports that are there."""
    board = board_of(matrix, entries, asked)
    return SHELL.page(
        "matrix.html.j2",
        matrix=matrix,
        board=board,
        count=board.count(),
        answer=board.answer(),
        findings=board.not_as_predicted(),
        decisions=decisions,
        machines=sorted({cell.machine for cell in matrix.cells} - {""}),
        side=side,
        measures=MEASURES,
        marks=MARKS,
        classes=CLASSES,
        report=lambda cell: _report(folder, cell),
        leading=leading,
        asked=asked,
        options=asked.options(),
        second_look=second_look,
        refuted=REFUTED,
        findings_page=FINDINGS,
    )


def _report(folder: Path, cell: Cell) -> str:
    """The address of the cell's report as seen from the page; empty if there is none."""
    if not cell.run or not RunFolder(folder / cell.run).report.is_file():  # a run that failed may have none
        return ""
    anchor = f"#arch-{cell.architecture}" if cell.was_run else ""
    return f"{cell.run}/report.html{anchor}"
