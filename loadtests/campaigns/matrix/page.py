"""The matrix for people: on a terminal, a table a family, and in sentences what did not go as predicted.

And as one HTML page, in the report's own style: `matrix.html`. The same files give the same bytes.
"""

import textwrap
from collections.abc import Iterator
from itertools import groupby
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
from loadtests.campaigns.matrix.board import Board, Family, ScenarioRow, board_of
from loadtests.checks import MEASURES
from loadtests.model.measures import spoken
from loadtests.model.run_folder import report_beside
from loadtests.model.wording import number, readable
from loadtests.report.shell import PageShell, side
from loadtests.report.tables import Table, Text
from shared.whole_file import write_whole

FILE = "matrix.html"
WIDTH = 100
SHELL = PageShell(Path(__file__).parent, style=("matrix.css",), number=number, formula=readable, spoken=spoken)
CLASSES: dict[CellWord, str] = {
    "as predicted": "predicted", "refuted and understood": "understood",
    "not as predicted": "refuted", "inconclusive": "inconclusive", "not run": "not-run",
}  # fmt: skip


def table(board: Board, *, width: int = WIDTH) -> str:
    """All families, then what went wrong, then the counts."""
    lines: list[str] = []
    for family in board.families:
        lines += [*_family(family, width), ""]
    lines += _wrong(board, width)
    lines += _legend(board)
    return "\n".join(lines)


def summary(board: Board, page: Path) -> str:
    """Two lines at the end: how it went, and where to read it."""
    count = board.count()
    words = [f"{count[word]} {word}" for word in MARKS if count[word]]
    return f"matrix   {', '.join(words) or 'nothing was asked for'}\npage     {page}"


def _family(family: Family, width: int) -> list[str]:
    """Only the columns that the family asks of, and as many side by side as fit."""
    # In lines: an architecture's name is longer than any number below it.
    heads = (family.name, *(name.replace("-", "-\n") for name in family.columns))
    rows = ((f"  {row.scenario.name}", *(_text(row, cell) for cell in row.cells)) for row in family.rows)
    text = Text()
    return [text.write(band) for band in Table(heads, tuple(rows)).bands(width, text.gap)]


def _text(row: ScenarioRow, cell: Cell) -> str:
    """Measured, predicted, and the mark: "20 = 20 ✓"."""
    if not cell.was_run:
        return "!" if cell.architecture in row.scenario.architectures else "·"
    prediction = cell.prediction(row.scenario.headline)
    predicted = f" {relation(prediction).replace(' ', '')}" if prediction else ""
    return f"{leading(cell, row.scenario)}{predicted} {MARKS[cell.word]}"


def _wrong(board: Board, width: int) -> Iterator[str]:
    for word, those in groupby(board.not_as_predicted(), key=lambda it: it[1].word):
        yield word.capitalize()
        for row, cell in those:
            text = f"{row.scenario.name} on {cell.architecture}: {cell.why}"
            if word in REFUTED:
                text += f"; {second_look(cell)}"
            yield from textwrap.wrap(
                text, width - 2, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False
            )
        if word == "refuted and understood":
            yield f"  The findings: {FINDINGS}"
        yield ""


def _legend(board: Board) -> Iterator[str]:
    headlines = {row.scenario.headline for row in board.rows()}
    yield "Measured, then predicted: ✓ as predicted, ✗ not as predicted, ✗✓ not as predicted and understood,"
    yield "? inconclusive, ! not run, · not asked."
    others = sorted(headlines - {"logged_out"})
    if others:
        named = ", ".join(
            f"{row.scenario.name} {row.scenario.headline}" for row in board.rows() if row.scenario.headline in others
        )
        text = f"The number is the shoppers logged out, but for: {named}."
        yield from textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    else:
        yield "The number is the shoppers logged out."


# --- the page ---------------------------------------------------------------------------------------------------------


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
    address = report_beside(folder, cell.run)  # a run that failed may have none
    return f"{address}#arch-{cell.architecture}" if address and cell.was_run else address
