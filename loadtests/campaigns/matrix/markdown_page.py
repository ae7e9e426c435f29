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
from loadtests.report.markdown_pages import markdown_pages


def markdown_page(matrix: Matrix, board: Board, decided: Iterable[Decision]) -> str:
    """The whole page."""
    claims = ((it.claim.id, it.claim.claim, f"**{it.word}**", it.sentence) for it in decided)
    template = markdown_pages(Path(__file__).parent).get_template("measured.md.j2")
    return template.render(
        matrix=matrix, board=board, claims=claims, rows=_rows, marks=MARKS, refuted=REFUTED, second_look=second_look
    )


def _rows(family: Family) -> Iterator[tuple[str, ...]]:
    for row in family.rows:
        name = row.scenario.name
        cells = (_text(row, cell) for cell in row.cells)
        yield f"[{name}](../reference/scenarios.md#{name})", spoken(row.scenario.headline), *cells


def _text(row: ScenarioRow, cell: Cell) -> str:
    if not cell.was_run:
        return MARKS[cell.word]
    prediction = cell.prediction(row.scenario.headline)
    predicted = f" ({readable(prediction)})" if prediction else ""
    mark = f"[{MARKS[cell.word]}](findings.md#{cell.second.finding})" if cell.second else MARKS[cell.word]
    return f"{leading(cell, row.scenario)}{predicted} {mark}"


if __name__ == "__main__":
    _matrix, _entries = read_understood(Path(sys.argv[1])), catalogue()
    sys.stdout.write(markdown_page(_matrix, board_of(_matrix, _entries), decisions(_matrix, _entries)))
