"""What the matrix remembers: one cell for each scenario and architecture that was run. `matrix.json`.

A cell keeps every measure of its run, so that table, page and claims are made from this file alone.
"""

from __future__ import annotations

import datetime
import math
import shlex
from pathlib import Path
from typing import Literal

import msgspec

from compose.cluster import DEFAULT_BALANCER
from loadtests.checks import MEASURES
from loadtests.model.results import ArchitectureResult, Prediction, Results
from loadtests.model.run_folder import encode_document, read_versioned
from loadtests.model.scenario import Scenario
from loadtests.model.wording import beside, brief, number
from shared.errors import RunFolderError
from shared.whole_file import write_whole

SCHEMA = 1
FILE = "matrix.json"

CellWord = Literal["as predicted", "refuted and understood", "not as predicted", "inconclusive", "not run"]
"""Not as predicted: and nobody has shown why, so far."""
Place = tuple[str, str]
"""Where a cell stands: its scenario and its architecture."""


class Selection(msgspec.Struct, frozen=True):
    """What somebody asked for; empty: everything."""

    families: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()

    def holds(self, scenario: Scenario, architecture: str) -> bool:
        """This cell was asked for."""
        return (
            (not self.families or scenario.family in self.families)
            and (not self.scenarios or scenario.name in self.scenarios)
            and (not self.architectures or architecture in self.architectures)
        )

    def options(self) -> str:
        """As `twinshop matrix` was asked for it: "--family store --architecture redis"; "" for everything."""
        named = (("--family", self.families), ("--scenario", self.scenarios), ("--architecture", self.architectures))
        return " ".join(f"{option} {name}" for option, names in named for name in names)


EVERYTHING = Selection()


class CellKey(msgspec.Struct, frozen=True):
    """What a cell was made with: a cell of the same key need not be run again."""

    scenario_sha256: str
    seed: int
    engine: str
    twinshop: str
    balancer: str = DEFAULT_BALANCER


class SecondLook(msgspec.Struct, frozen=True):
    """A second prediction beside what was measured, in a cell whose first one was refuted."""

    dated: datetime.date
    predictions: tuple[Prediction, ...]
    finding: str
    """A heading of docs/explanation/findings.md, as an address."""
    because: str
    """The cause that was found, in one sentence."""
    seeds: tuple[int, ...]
    """On which it was tried; none of them had refuted the first."""


class Cell(msgspec.Struct, frozen=True):
    """What one architecture did in one scenario."""

    scenario: str
    architecture: str
    word: CellWord
    why: str = ""
    """Why it was not run, or why it is not as predicted or inconclusive."""
    key: CellKey | None = None
    """None: it was never begun."""
    run: str = ""
    """The run's folder, beside `matrix.json`; empty if there is none."""
    shoppers: int = 0
    nodes: int = 0
    at_risk: int = 0
    predictions: tuple[Prediction, ...] = ()
    measures: dict[str, float] = msgspec.field(default_factory=dict)
    """Everything that can be predicted, by name; what has no value in this run is left out."""
    machine: str = ""
    """Where it was run, of several machines; empty: where the matrix lies."""
    second: SecondLook | None = None
    """None: nothing was predicted a second time, or the first prediction was not refuted."""

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.scenario, self.architecture

    @property
    def was_run(self) -> bool:
        """It was measured and judged."""
        return self.word != "not run"

    def prediction(self, measure: str) -> Prediction | None:
        """The prediction of that measure, if there is one."""
        return next((it for it in self.predictions if it.measure == measure), None)


class Matrix(msgspec.Struct, frozen=True):
    """`matrix.json`."""

    schema: int = SCHEMA
    seed: int = 1
    engine: str = "processes"
    balancer: str = DEFAULT_BALANCER
    twinshop: str = ""
    side_by_side: int = 1
    """Clusters that ran at the same time, at most."""
    asked: Selection = EVERYTHING
    """What was asked for last: the whole of which this may be a shard."""
    cells: tuple[Cell, ...] = ()

    def by_place(self) -> dict[Place, Cell]:
        """The cells, each under its place."""
        return {cell.place: cell for cell in self.cells}

    def with_cells(self, cells: tuple[Cell, ...]) -> Matrix:
        """The same with these cells in their places."""
        found = self.by_place() | {cell.place: cell for cell in cells}
        # Sorted: side by side, and on several machines, runs end in another order each time.
        return msgspec.structs.replace(self, cells=tuple(found[place] for place in sorted(found)))


def cell_of(results: Results, architecture: str, *, key: CellKey, run: str, machine: str = "") -> Cell:
    """The cell that a judged run fills."""
    result = results.architectures[architecture]
    return Cell(
        scenario=results.scenario,
        architecture=architecture,
        word=result.verdict,  # whether a refutation is understood is asked later, of the table as it is then
        why="; ".join(result.reasons),
        key=key,
        run=run,
        shoppers=result.shoppers,
        nodes=results.nodes,
        at_risk=result.at_risk or 0,  # a second prediction's formula wants a number, also where nobody was asked
        predictions=result.predictions,
        measures=_measures(result),
        machine=machine,
    )


def _measures(result: ArchitectureResult) -> dict[str, float]:
    found: dict[str, float | None] = {name: measure.read(result) for name, measure in MEASURES.items()}
    # JSON has no infinity: it would be written as null, which is no number when it is read again.
    return {name: float(value) for name, value in found.items() if value is not None and math.isfinite(value)}


_decode_matrix = msgspec.json.Decoder(Matrix).decode


def read_matrix(folder: Path) -> Matrix:
    """The matrix in that folder.

    Raises:
        RunFolderError: there is none, it is damaged, or of another schema.
    """
    path = folder / FILE
    if not path.is_file():
        again = f"twinshop matrix --out {shlex.quote(str(folder))}"
        raise RunFolderError(f"there is no matrix in {folder}", why=f"{path} is missing", next_step=again)
    # Another folder, and not --fresh, which keeps what is not run again and so reads this one, too.
    return read_versioned(path, _decode_matrix, SCHEMA, "name another folder: twinshop matrix --out DIR")


def write_matrix(folder: Path, matrix: Matrix) -> None:
    """Write `matrix.json`, whole or not at all."""
    write_whole(folder / FILE, encode_document(matrix))


# --- a number, a prediction and a verdict, as terminal and page write them --------------------------------------------


MARKS: dict[CellWord, str] = {  # ✗✓: the first prediction did not hold, the second one did
    "as predicted": "✓", "refuted and understood": "✗✓", "not as predicted": "✗", "inconclusive": "?", "not run": "–",
}  # fmt: skip
REFUTED: tuple[CellWord, ...] = ("not as predicted", "refuted and understood")
FINDINGS = "docs/explanation/findings.md"


def relation(prediction: Prediction) -> str:
    """What was predicted of the number: "= 20", "≥ 57", "12–60"."""
    text = brief(prediction).replace(" to ", "–")
    return text if text[0] in "≥≤=><" or prediction.upper is not None else f"= {text}"


def second_look(cell: Cell) -> str:
    """Why a refuted prediction was refuted, as far as anybody knows, and what was predicted a second time."""
    look = cell.second
    if look is None:
        return "not understood: nobody has found why"
    seeds = ", ".join(map(str, look.seeds))
    tried = f"a second prediction, of {look.dated}, tried on seeds {seeds}"
    again = "; ".join(beside(prediction) for prediction in look.predictions) or "nothing of it was measured"
    if cell.word == "refuted and understood":
        return f"{look.because} So {tried}: {again}"
    return f"not understood: {tried}, does not explain this: {again}"


def leading(cell: Cell, scenario: Scenario) -> str:
    """The number that stands for the cell; empty if it was not run or has no such number."""
    value = cell.measures.get(scenario.headline)
    return "" if value is None or not cell.was_run else number(value)
