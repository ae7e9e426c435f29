"""A measured matrix as a page of the docs.

`python -m loadtests.campaigns.matrix.markdown_page runs/matrix` prints it; nothing in it is written by hand.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from loadtests.campaigns.cells import MARKS, REFUTED, Cell, Matrix, leading, second_look
from loadtests.campaigns.claims import Decision
from loadtests.campaigns.jobs import catalogue
from loadtests.campaigns.matrix.board import Board, Family, ScenarioRow, board_of
from loadtests.campaigns.matrix.matrix_run import decisions
from loadtests.campaigns.matrix.second_predictions import read_understood
from loadtests.model.measures import spoken
from loadtests.model.wording import readable
from loadtests.report.tables import Markdown, Table


def markdown_page(matrix: Matrix, board: Board, decided: Iterable[Decision]) -> str:
    """The whole page."""
    return "\n".join([*_top(matrix, board), *_tables(board), *_otherwise(board), *_claims(decided)])


def _top(matrix: Matrix, board: Board) -> Iterator[str]:
    yield "# The matrix, as measured"
    yield ""
    yield board.answer()
    yield ""
    how = "one cluster at a time" if matrix.side_by_side == 1 else f"{matrix.side_by_side} clusters side by side"
    yield f"One run of each scenario, seed {matrix.seed}, engine {matrix.engine}, Twinshop {matrix.twinshop}, {how}, by"
    yield "`twinshop matrix`; this page by `python -m loadtests.campaigns.matrix.markdown_page runs/matrix`."
    yield ""
    yield "In each cell: what was measured, what had been predicted, and whether *all* predictions of the cell held:"
    yield f"{MARKS['as predicted']} they did, {MARKS['not as predicted']} at least one did not,"
    yield f"{MARKS['refuted and understood']} at least one did not, and a second prediction holds that follows from its"
    yield "[finding](findings.md),"
    yield f"{MARKS['inconclusive']} the experiment did not happen as planned,"
    yield f"{MARKS['not run']} not asked (the scenario's file says why). U shoppers, N nodes. All predictions are among"
    yield "the [scenarios](../reference/scenarios.md); the [measures](../reference/measures.md) are defined there."
    yield ""


def _tables(board: Board) -> Iterator[str]:
    for family in board.families:
        yield f"## {family.name.capitalize()}"
        yield ""
        yield _family(family)
        yield ""


def _family(family: Family) -> str:
    heads = ("scenario", "counted", *family.columns)
    rows = (
        (
            f"[{row.scenario.name}](../reference/scenarios.md#{row.scenario.name})",
            spoken(row.scenario.headline),
            *(_text(row, cell) for cell in row.cells),
        )
        for row in family.rows
    )
    return Markdown().write(Table(heads, tuple(rows)))


def _text(row: ScenarioRow, cell: Cell) -> str:
    if not cell.was_run:
        return MARKS[cell.word]
    prediction = cell.prediction(row.scenario.headline)
    predicted = f" ({readable(prediction)})" if prediction else ""
    return f"{leading(cell, row.scenario)}{predicted} {_mark(cell)}"


def _mark(cell: Cell) -> str:
    return f"[{MARKS[cell.word]}](findings.md#{cell.second.finding})" if cell.second else MARKS[cell.word]


def _otherwise(board: Board) -> Iterator[str]:
    yield "## What did not go as predicted"
    yield ""
    for row, cell in board.not_as_predicted():
        refuted = cell.word in REFUTED
        yield f"- {row.scenario.name}, {cell.architecture}: {cell.why}.{f' {_why(cell)}' if refuted else ''}"
    yield ""


def _why(cell: Cell) -> str:
    finding = f" ([finding](findings.md#{cell.second.finding}))" if cell.second else ""
    return f"*{cell.word.capitalize()}*: {second_look(cell)}{finding}."


def _claims(decided: Iterable[Decision]) -> Iterator[str]:
    yield "## What is commonly said"
    yield ""
    rows = ((it.claim.id, it.claim.claim, f"**{it.word}**", it.sentence) for it in decided)
    yield Markdown().write(Table(("", "claim", "verdict", "because"), tuple(rows)))
    yield ""


if __name__ == "__main__":
    _matrix, _entries = read_understood(Path(sys.argv[1])), catalogue()
    sys.stdout.write(markdown_page(_matrix, board_of(_matrix, _entries), decisions(_matrix, _entries)))
