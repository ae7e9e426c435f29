"""The matrix as one HTML page, in the report's own style: `matrix.html`. The same files give the same bytes."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from compose.architectures import ARCHITECTURES
from loadtests.campaigns.cell_words import MARKS, leading, relation
from loadtests.campaigns.cells import Cell, CellWord, Matrix
from loadtests.campaigns.jobs import Entry
from loadtests.campaigns.matrix.board import Board, Row, board_of
from loadtests.checks import MEASURES
from loadtests.model.measures import spoken
from loadtests.model.run_folder import RunFolder
from loadtests.model.wording import number, readable
from loadtests.report import palette
from shared.whole_file import write_whole

if TYPE_CHECKING:
    from loadtests.campaigns.claims.decide import Decision

FILE = "matrix.html"
ROOM = Path(__file__).parent
REPORT_STYLE = ROOM.parents[1] / "report" / "report.css"
CLASSES: dict[CellWord, str] = {
    "as predicted": "predicted", "not as predicted": "refuted", "inconclusive": "inconclusive", "not run": "not-run",
}  # fmt: skip


class Finding(msgspec.Struct, frozen=True):
    """A cell that went otherwise, and its row."""

    row: Row
    cell: Cell


def write_page(folder: Path, matrix: Matrix, entries: tuple[Entry, ...], decisions: tuple[Decision, ...]) -> Path:
    """Write the page beside `matrix.json` and return where it is."""
    path = folder / FILE
    write_whole(path, render(folder, matrix, entries, decisions))
    return path


def render(folder: Path, matrix: Matrix, entries: tuple[Entry, ...], decisions: tuple[Decision, ...]) -> bytes:
    """The page. Links only to reports that are there."""
    board = board_of(matrix, entries)
    style = _style()
    template = _environment().get_template("matrix.html.j2")
    html = template.render(
        style=Markup(style),  # our own files, not a value from a run
        style_hash=b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        matrix=matrix,
        board=board,
        count=board.count(),
        answer=answer(board),
        findings=findings(board),
        decisions=decisions,
        architectures=ARCHITECTURES,
        measures=MEASURES,
        marks=MARKS,
        classes=CLASSES,
        report=lambda cell: _report(folder, cell),
        leading=leading,
    )
    return html.encode()


def answer(board: Board) -> str:
    """One sentence: how many cells there are, and how they went."""
    count = board.count()
    run = sum(count.values()) - count["not run"]
    if not run:
        return "Nothing was run yet."
    scenarios = sum(any(cell.was_run for cell in row.cells) for row in board.rows())
    parts = [f"{count[word]} {word}" for word in ("not as predicted", "inconclusive", "not run") if count[word]]
    rest = f"; {', '.join(parts)}" if parts else ""
    return f"{count['as predicted']} of {run} cells of {scenarios} scenarios went as predicted{rest}."


def findings(board: Board) -> tuple[Finding, ...]:
    """What was tried and did not go as predicted; refuted predictions come first."""
    order: tuple[CellWord, ...] = ("not as predicted", "inconclusive", "not run")
    found = [Finding(row, cell) for row in board.rows() for cell in row.asked() if cell.went_otherwise]
    return tuple(sorted(found, key=lambda it: order.index(it.cell.word)))


def _report(folder: Path, cell: Cell) -> str:
    """The address of the cell's report as seen from the page; empty if there is none."""
    if not cell.run or not RunFolder(folder / cell.run).report.is_file():
        return ""
    anchor = f"#arch-{cell.architecture}" if cell.was_run else ""
    return f"{cell.run}/report.html{anchor}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(ROOM / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=number, formula=readable, relation=relation, spoken=spoken)
    return environment


def _style() -> str:
    colours = (
        f":root{{{palette.variables(palette.LIGHT)}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{color-scheme:dark;{palette.variables(palette.DARK)}}}}}"
    )
    own = (ROOM / "matrix.css").read_text(encoding="utf-8")
    return "\n".join((colours, REPORT_STYLE.read_text(encoding="utf-8"), own))
