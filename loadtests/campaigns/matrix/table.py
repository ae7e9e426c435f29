"""The matrix on a terminal: a table a family, predicted beside measured, and in sentences what went otherwise."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

from loadtests.campaigns.cell_words import MARKS, leading, relation
from loadtests.campaigns.cells import Cell
from loadtests.campaigns.matrix.board import Board, Family, Row
from loadtests.model.scenario import Scenario

GAP = "  "
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


def _family(board: Board, family: Family, width: int) -> Iterator[str]:
    """Only the columns that the family asks of, and as many side by side as fit."""
    used = [
        number
        for number, name in enumerate(board.columns)
        if any(name in row.scenario.architectures for row in family.rows)
    ]
    first = max(len(family.name), *(len(row.scenario.name) + 2 for row in family.rows))
    texts = {number: [_text(row, number) for row in family.rows] for number in used}
    heads = {number: _head(board.columns[number]) for number in used}
    widths = {number: max(map(len, [*heads[number], *texts[number]])) for number in used}
    for band in _bands(used, widths, width - first):
        yield from _band(family, band, first, heads, texts, widths)


def _band(
    family: Family, band: list[int], first: int, heads: dict[int, list[str]], texts: dict[int, list[str]],
    widths: dict[int, int],
) -> Iterator[str]:  # fmt: skip
    height = max(len(heads[number]) for number in band)
    for line in range(height):
        words = [heads[number][line] if line < len(heads[number]) else "" for number in band]
        start = family.name if line == 0 else ""
        yield _line(start.ljust(first), [word.ljust(widths[n]) for n, word in zip(band, words, strict=True)])
    for place, row in enumerate(family.rows):
        start = f"  {row.scenario.name}".ljust(first)
        yield _line(start, [texts[number][place].ljust(widths[number]) for number in band])


def _line(start: str, cells: list[str]) -> str:
    return GAP.join([start, *cells]).rstrip()


def _bands(columns: list[int], widths: dict[int, int], room: int) -> list[list[int]]:
    bands: list[list[int]] = [[]]
    used = 0
    for number in columns:
        needs = widths[number] + len(GAP)
        if bands[-1] and used + needs > room:
            bands.append([])
            used = 0
        bands[-1].append(number)
        used += needs
    return bands


def _head(architecture: str) -> list[str]:
    """The name in lines: it is longer than any number below it."""
    return architecture.replace("-", "- ").split()


def _text(row: Row, number: int) -> str:
    """Measured, predicted, and the mark: "20 = 20 ✓"."""
    cell = row.cells[number]
    if not cell.was_run:
        return "!" if cell.architecture in row.scenario.architectures else "·"
    prediction = cell.prediction(row.scenario.headline)
    predicted = f" {relation(prediction).replace(' ', '')}" if prediction else ""
    return f"{leading(cell, row.scenario)}{predicted} {MARKS[cell.word]}"


def _wrong(board: Board, width: int) -> Iterator[str]:
    wrong = [(row.scenario, cell) for row in board.rows() for cell in row.asked() if cell.went_otherwise]
    for word in ("not as predicted", "inconclusive", "not run"):
        those = [(scenario, cell) for scenario, cell in wrong if cell.word == word]
        if those:
            yield word.capitalize()
            for scenario, cell in those:
                yield from _reason(scenario, cell, width)
            yield ""


def _reason(scenario: Scenario, cell: Cell, width: int) -> list[str]:
    text = f"{scenario.name} on {cell.architecture}: {cell.why}"
    return textwrap.wrap(text, width - 2, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)


def _legend(board: Board) -> Iterator[str]:
    headlines = {row.scenario.headline for row in board.rows()}
    yield "Measured, then predicted: ✓ as predicted, ✗ not as predicted, ? inconclusive, ! not run, · not asked."
    others = sorted(headlines - {"logged_out"})
    if others:
        named = ", ".join(
            f"{row.scenario.name} {row.scenario.headline}" for row in board.rows() if row.scenario.headline in others
        )
        text = f"The number is the shoppers logged out, but for: {named}."
        yield from textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    else:
        yield "The number is the shoppers logged out."
