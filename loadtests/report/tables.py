"""One table, three dialects: text for a terminal, Markdown for pages and pull requests, HTML for reports.

A dialect is a type that can `write` a table, as in hyperfine's `src/export/`; another one is another such type.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from itertools import zip_longest

import msgspec
from markupsafe import Markup, escape

# Not one that is escaped already: cells are Markdown when they come here.
_BAR = re.compile(r"(?<!\\)\|")
_ESCAPED_BAR = r"\\|"  # a backslash and the bar, as re reads a replacement


class Table(msgspec.Struct, frozen=True):
    """Cells as people read them: what a number looks like was decided before."""

    head: tuple[str, ...]
    """The columns' names; only text knows a name of several lines, and leaves out a head without any name."""
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    """What was left out. Whoever writes the table says it below."""
    align: str = ""
    """`<` (words) or `>` (numbers), a sign for each column; what is not said is as the last one, or `<`."""

    def alignments(self) -> str:
        """One sign for each column."""
        return self.align.ljust(len(self.head), self.align[-1:] or "<")

    def widths(self) -> list[int]:
        """Of each column, in letters."""
        heads = [max(map(len, name.split("\n"))) for name in self.head]
        return [max([width, *(len(row[at]) for row in self.rows)]) for at, width in enumerate(heads)]

    def bands(self, width: int, gap: int) -> Iterator[Table]:
        """The same, cut into tables of at most that width, each beginning with the first column."""
        first, *widths = self.widths()
        columns, used = [0], first
        for at, needs in enumerate(widths, start=1):
            if len(columns) > 1 and used + gap + needs > width:
                yield self.of_columns(columns)
                columns, used = [0], first
            columns.append(at)
            used += gap + needs
        yield self.of_columns(columns)

    def of_columns(self, columns: Sequence[int]) -> Table:
        """Only these, in this order."""
        align = self.alignments()
        return Table(
            tuple(self.head[at] for at in columns),
            tuple(tuple(row[at] for at in columns) for row in self.rows),
            self.note,
            "".join(align[at] for at in columns),
        )


class Text:
    """Columns of one width each; nothing stands at the end of a line that nobody sees."""

    def __init__(self, *, gap: int = 2, indent: int = 0, width: int = 0) -> None:
        """All in letters; with a `width`, the last column is wrapped so that lines are not longer than that."""
        self.gap, self.indent, self.width = gap, indent, width

    def write(self, table: Table) -> str:
        """The table, without a line end behind it; so do the other dialects."""
        return "\n".join(self._lines(table))

    def _lines(self, table: Table) -> Iterator[str]:
        if any(table.head):
            # Names of several lines begin side by side.
            for words in zip_longest(*(name.split("\n") for name in table.head), fillvalue=""):
                yield self._line(words, table)
        room = self.width - self.indent - sum(width + self.gap for width in table.widths()[:-1])
        for *cells, last in table.rows:
            # An empty cell by itself: textwrap makes no line of it, not even an empty one.
            first, *more = textwrap.wrap(last, room) if self.width and last else [last]
            yield self._line([*cells, first], table)
            yield from (self._line([*("" for _ in cells), line], table) for line in more)

    def _line(self, words: Sequence[str], table: Table) -> str:
        cells = (
            f"{word:{align}{width}}"
            for word, align, width in zip(words, table.alignments(), table.widths(), strict=True)
        )
        return (" " * self.indent + (" " * self.gap).join(cells)).rstrip()


class Markdown:
    """GitHub's. The cells are Markdown already; but a bar ends a cell, even within code."""

    def write(self, table: Table) -> str:
        """The table; nothing at all if it has no rows: a head alone would be read as two lines of text."""
        if not table.rows:
            return ""
        return "\n".join([self._line(table.head), "|" + "---|" * len(table.head), *map(self._line, table.rows)])

    def _line(self, cells: Sequence[str]) -> str:
        # A cell's line ends are blanks.
        return f"| {' | '.join(_BAR.sub(_ESCAPED_BAR, ' '.join(cell.split())) for cell in cells)} |"


class Html:
    """Every cell is escaped, unless it is `Markup`."""

    def write(self, table: Table) -> Markup:
        """The table, each name the head of its column."""
        heads = Markup("").join(Markup('<th scope="col">{}</th>').format(name) for name in table.head)
        rows = [f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in table.rows]
        return Markup("\n".join([f"<table><thead><tr>{heads}</tr></thead><tbody>", *rows, "</tbody></table>"]))
