"""The matrix laid out: a row for each scenario, by family; a column for each architecture; in each place what is known.

A place that was not run says why.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from compose.architectures import ARCHITECTURES
from loadtests.campaigns.cells import EVERYTHING, Cell, CellKey, CellWord, Matrix, Place, Selection
from loadtests.campaigns.jobs import Entry, keys_of
from loadtests.judging.verdict import exit_code as code_of
from loadtests.judging.verdict import overall
from loadtests.model.results import VerdictWord
from loadtests.model.scenario import Scenario
from shared.plurals import counted

WORST_FIRST: tuple[CellWord, ...] = ("not as predicted", "inconclusive", "not run", "refuted and understood")

COUNTS_AS: dict[CellWord, VerdictWord] = {
    "as predicted": "as predicted", "refuted and understood": "as predicted", "not as predicted": "not as predicted",
    "inconclusive": "inconclusive", "not run": "inconclusive",
}  # fmt: skip


class ScenarioRow(msgspec.Struct, frozen=True):
    """One scenario."""

    scenario: Scenario
    cells: tuple[Cell, ...]
    """One for each column of its family."""

    def asked(self) -> tuple[Cell, ...]:
        """The cells of architectures that this scenario is about."""
        return tuple(cell for cell in self.cells if cell.architecture in self.scenario.architectures)


class Family(msgspec.Struct, frozen=True):
    """Scenarios of one family."""

    name: str
    columns: tuple[str, ...]
    """The architectures that it asks of."""
    rows: tuple[ScenarioRow, ...]


class Board(msgspec.Struct, frozen=True):
    """The whole."""

    families: tuple[Family, ...]

    def rows(self) -> Iterator[ScenarioRow]:
        """All rows, in order."""
        for family in self.families:
            yield from family.rows

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
        of = f"{counted(run, 'cell')} of {counted(scenarios, 'scenario')}"
        return f"{count['as predicted']} of {of} went as predicted{rest}."

    def not_as_predicted(self) -> list[tuple[ScenarioRow, Cell]]:
        """What was tried and went otherwise; refuted predictions that nobody understands come first."""
        tried = [(row, cell) for row in self.rows() for cell in row.asked() if cell.key is not None]
        found = [(row, cell) for row, cell in tried if cell.word != "as predicted"]
        return sorted(found, key=lambda it: WORST_FIRST.index(it[1].word))


def board_of(matrix: Matrix, entries: Iterable[Entry], asked: Selection = EVERYTHING) -> Board:
    """The board of what was asked for of these scenarios."""
    entries = tuple(entries)
    keys, known = keys_of(entries, matrix), matrix.by_place()
    wanted = [
        it.scenario for it in entries if any(asked.holds(it.scenario, name) for name in it.scenario.architectures)
    ]
    # In the order of the architectures' own list, so that a column stands where it stands in every other table; an
    # application's own variants behind them.
    order = dict.fromkeys([*ARCHITECTURES, *(name for scenario in wanted for name in scenario.architectures)])
    families: dict[str, list[Scenario]] = {}
    for scenario in wanted:
        families.setdefault(scenario.family, []).append(scenario)
    found = []
    for family, scenarios in families.items():
        used = {name for scenario in scenarios for name in scenario.architectures if asked.holds(scenario, name)}
        columns = tuple(name for name in order if name in used)
        rows = (
            ScenarioRow(it, tuple(_cell(known, keys[it.name], it, name, asked) for name in columns)) for it in scenarios
        )
        found.append(Family(family, columns, tuple(rows)))
    return Board(tuple(found))


def _cell(
    known: dict[Place, Cell], key: CellKey, scenario: Scenario, architecture: str, asked: Selection
) -> Cell:  # fmt: skip
    found = known.get((scenario.name, architecture))
    if architecture not in scenario.architectures:
        why = scenario.without.get(architecture, "not among the architectures of this scenario")
    elif not asked.holds(scenario, architecture):
        why = "not asked for"
    elif found is None:
        why = "not requested yet"
    elif found.key != key:  # its number would stand beside a prediction that was made of something else
        why = "it has changed since it was run"
    else:
        return found
    return Cell(scenario.name, architecture, "not run", why=why)


def matrix_exit_code(board: Board) -> int:
    """0 if all that is to be run was run and is as predicted or understood; 1 if something is neither; otherwise 3."""
    return code_of(overall(COUNTS_AS[word] for word in board.count()))
