"""The matrix on a terminal: a table a family, predicted beside measured; in sentences what did not go as predicted."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from loadtests.campaigns.cells import FINDINGS, MARKS, REFUTED, Cell, leading, relation, second_look
from loadtests.campaigns.matrix.board import Board, Family, ScenarioRow
from loadtests.report.tables import Table, Text

WIDTH = 100


def table(board: Board, *, width: int = WIDTH) -> str:
    """All families, then what went wrong, then the counts."""
    lines: list[str] = []
    for family in board.families:
        lines += [*_family(board, family, width), ""]
    lines += _wrong(board, width)
    lines += _legend(board)
    return "\n".join(lines)


def summary(board: Board, page: Path) -> str:
    """Two lines at the end: how it went, and where to read it."""
    count = board.count()
    words = [f"{count[word]} {word}" for word in MARKS if count[word]]
    return f"matrix   {', '.join(words) or 'nothing was asked for'}\npage     {page}"


def _family(board: Board, family: Family, width: int) -> list[str]:
    """Only the columns that the family asks of, and as many side by side as fit."""
    used = board.used_by(family)
    heads = (family.name, *(_head(board.columns[number]) for number in used))
    rows = ((f"  {row.scenario.name}", *(_text(row, row.cells[number]) for number in used)) for row in family.rows)
    text = Text()
    return [text.write(band) for band in Table(heads, tuple(rows)).bands(width, text.gap)]


def _head(architecture: str) -> str:
    # In lines: it is longer than any number below it.
    return architecture.replace("-", "-\n")


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
