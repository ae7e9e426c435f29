"""The matrix laid out: a row for each scenario, by family; a column for each architecture; in each place what is known.

A place that was not run says why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from compose.architectures import ARCHITECTURES
from loadtests.campaigns.cells import EVERYTHING, Cell, CellKey, CellWord, Matrix, Place, Selection
from loadtests.campaigns.jobs import Entry, key_of
from loadtests.judging.verdict import exit_code as code_of
from loadtests.judging.verdict import overall
from loadtests.model.results import VerdictWord
from loadtests.model.scenario import Scenario

WORST_FIRST: tuple[CellWord, ...] = ("not as predicted", "inconclusive", "not run", "refuted and understood")

COUNTS_AS: dict[CellWord, VerdictWord] = {
    "as predicted": "as predicted", "refuted and understood": "as predicted", "not as predicted": "not as predicted",
    "inconclusive": "inconclusive", "not run": "inconclusive",
}  # fmt: skip


class ScenarioRow(msgspec.Struct, frozen=True):
    """One scenario."""

    scenario: Scenario
    cells: tuple[Cell, ...]
    """One for each column."""

    def asked(self) -> tuple[Cell, ...]:
        """The cells of architectures that this scenario is about."""
        return tuple(cell for cell in self.cells if cell.architecture in self.scenario.architectures)


class Family(msgspec.Struct, frozen=True):
    """Scenarios of one family."""

    name: str
    rows: tuple[ScenarioRow, ...]


class Board(msgspec.Struct, frozen=True):
    """The whole."""

    columns: tuple[str, ...]
    families: tuple[Family, ...]

    def rows(self) -> Iterator[ScenarioRow]:
        """All rows, in order."""
        for family in self.families:
            yield from family.rows

    def used_by(self, family: Family) -> list[int]:
        """The columns that the family asks of."""
        asked = {name for row in family.rows for name in row.scenario.architectures}
        return [at for at, name in enumerate(self.columns) if name in asked]

    def asked(self) -> Iterator[Cell]:
        """All cells that are to be run, run or not."""
        for row in self.rows():
            yield from row.asked()

    def count(self) -> Counter[CellWord]:
        """How many of them there are with each word."""
        return Counter(cell.word for cell in self.asked())

    def answer(self) -> str:
        """One sentence: how many cells there are, and how they went."""
        count = self.count()
        run = sum(count.values()) - count["not run"]
        if not run:
            return "Nothing was run yet."
        scenarios = sum(any(cell.was_run for cell in row.cells) for row in self.rows())
        parts = [f"{count[word]} {word}" for word in WORST_FIRST if count[word]]
        rest = f"; {', '.join(parts)}" if parts else ""
        of = f"{run} cells of {scenarios} scenario{'' if scenarios == 1 else 's'}"
        return f"{count['as predicted']} of {of} went as predicted{rest}."

    def not_as_predicted(self) -> list[tuple[ScenarioRow, Cell]]:
        """What was tried and went otherwise; refuted predictions that nobody understands come first."""
        found = [(row, cell) for row in self.rows() for cell in row.asked() if cell.went_otherwise]
        return sorted(found, key=lambda it: WORST_FIRST.index(it[1].word))


def board_of(matrix: Matrix, entries: Iterable[Entry], asked: Selection = EVERYTHING) -> Board:
    """The board of what was asked for of these scenarios."""
    entries = tuple(it for it in entries if any(asked.holds(it.scenario, name) for name in it.scenario.architectures))
    used = {name for it in entries for name in it.scenario.architectures if asked.holds(it.scenario, name)}
    named = [name for it in entries for name in it.scenario.architectures]  # an application's own variants, too
    # In the order of the architectures' own list, so that a column stands where it stands in every other table.
    columns = tuple(name for name in dict.fromkeys([*ARCHITECTURES, *named]) if name in used)
    families: dict[str, list[ScenarioRow]] = {}
    known = matrix.by_place()
    for entry in entries:
        cells = tuple(_cell(known, key_of(entry, matrix), entry.scenario, name, asked) for name in columns)
        families.setdefault(entry.scenario.family, []).append(ScenarioRow(entry.scenario, cells))
    return Board(columns, tuple(Family(name, tuple(rows)) for name, rows in families.items()))


def _cell(
    known: dict[Place, Cell], key: CellKey, scenario: Scenario, architecture: str, asked: Selection
) -> Cell:  # fmt: skip
    place = (scenario.name, architecture)
    if architecture not in scenario.architectures:
        return Cell(
            *place, "not run", why=scenario.without.get(architecture, "not among the architectures of this scenario")
        )
    if not asked.holds(scenario, architecture):
        return Cell(*place, "not run", why="not asked for")
    found = known.get(place)
    if found is None:
        return Cell(*place, "not run", why="not requested yet")
    if found.key != key:  # its number would stand beside a prediction that was made of something else
        return Cell(*place, "not run", why="it has changed since it was run")
    return found


def exit_code(board: Board) -> int:
    """0 if all that is to be run was run and is as predicted or understood; 1 if something is neither; otherwise 3."""
    return code_of(overall(COUNTS_AS[word] for word in board.count()))
