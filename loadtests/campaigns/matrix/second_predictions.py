"""Refuted and understood: what was predicted a second time, once the cause of a refuted prediction had been found.

A first prediction stands in the scenario's file and is never bent. A second one follows from a finding of the docs, has
a date, and was tried on seeds that had not refuted the first (`second_predictions.toml`, read strictly). One cell,
walked through: two-workers on replicated-memory was predicted `logged_out >= 0.9 * U`, and 0 of 30 were logged out:
"not as predicted". The table has `logged_out = "0"` for it, tried on seeds 2 to 4. That holds in the cell, too, and
nothing else was refuted there: "refuted and understood", with the finding to read.
"""

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from compose.architectures import ARCHITECTURES
from loadtests.campaigns.cells import REFUTED, Cell, Matrix, Place, SecondLook, read_matrix
from loadtests.campaigns.jobs import catalogue
from loadtests.checks import MEASURES
from loadtests.model.formulas import Terms, parse_prediction, predict
from loadtests.model.results import Prediction
from loadtests.model.scenario import Scenario
from shared.errors import ScenarioError

FILE = Path(__file__).parent / "second_predictions.toml"
FEWEST_SEEDS = 3  # on fewer it was not tried, but met by chance


class Trial(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came out on one seed that had not refuted the first prediction."""

    architecture: str
    seed: int
    measured: dict[str, float]
    at_risk: int = 0


class Second(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A second prediction for cells of one scenario."""

    scenario: str
    architectures: tuple[str, ...]
    dated: datetime.date
    refuted_by: tuple[int, ...]
    """The seeds that had refuted the first prediction when the second was written."""
    finding: str
    """A heading of docs/explanation/findings.md, as an address."""
    because: str
    """The cause, in one sentence."""
    expect: dict[str, str]
    """By measure, as in a scenario; a cell does not know W."""
    tried: tuple[Trial, ...] = ()

    def seeds(self, architecture: str) -> tuple[int, ...]:
        """On which it was tried there."""
        return tuple(trial.seed for trial in self.tried if trial.architecture == architecture)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    second: tuple[Second, ...]


def read_seconds(content: bytes, scenarios: Mapping[str, Scenario], *, file: str) -> dict[Place, Second]:
    """The second predictions in these bytes, each under the cells that it is about.

    Raises:
        ScenarioError: they cannot be read, or one makes no sense or was not tried; says which and why.
    """
    found: dict[Place, Second] = {}
    try:
        for second in msgspec.toml.decode(content, type=_File).second:
            for architecture in second.architectures:
                place = (second.scenario, architecture)
                if problem := next(_problems(second, architecture, scenarios, twice=place in found), ""):
                    raise ValueError(f"{second.scenario} on {architecture}: {problem}")
                found[place] = second
    except (msgspec.DecodeError, ValueError) as error:
        raise ScenarioError(f"{file}: {error}", next_step=f"fix {file}") from error
    return found


def _problems(second: Second, architecture: str, scenarios: Mapping[str, Scenario], *, twice: bool) -> Iterator[str]:
    scenario = scenarios.get(second.scenario)
    if twice:
        yield "it has two second predictions"
    if scenario is None or architecture not in (set(scenario.architectures) & set(ARCHITECTURES)):
        yield "no cell of the matrix"
        return
    for measure, text in second.expect.items():
        if measure not in MEASURES or re.search(r"\bW\b", text):
            yield f"{measure} = {text!r}: no measure of a cell, or over W, which no cell knows"
        parse_prediction(text)  # its ValueError is told as an error of the file
    seeds = second.seeds(architecture)
    if len(set(seeds)) < FEWEST_SEEDS or len(set(seeds)) < len(seeds) or set(seeds) & set(second.refuted_by):
        yield f"to be tried on at least {FEWEST_SEEDS} seeds, each once, and on none that refuted the first prediction"
    for trial in second.tried:
        terms = Terms(scenario.load.shoppers, scenario.nodes, trial.at_risk)
        if trial.architecture == architecture and not _hold(_beside(second.expect, trial.measured, terms), second):
            yield f"it did not hold on seed {trial.seed}, so nothing is understood"


def _beside(expect: Mapping[str, str], measured: Mapping[str, float], terms: Terms) -> tuple[Prediction, ...]:
    """Those of which something was measured, beside it."""
    return tuple(predict(name, text, measured[name], terms) for name, text in expect.items() if name in measured)


def _hold(found: Iterable[Prediction], second: Second) -> bool:
    return {prediction.measure for prediction in found if prediction.holds} == set(second.expect)


def looked_at_again(matrix: Matrix, seconds: Mapping[Place, Second]) -> Matrix:
    """The matrix, its refuted cells told apart by whether a second prediction holds for all that was refuted."""
    return matrix.with_cells(
        tuple(_again(cell, seconds.get(cell.place)) for cell in matrix.cells if cell.word in REFUTED)
    )


def _again(cell: Cell, second: Second | None) -> Cell:
    if second is None:  # also where an earlier table had one: a finding that was withdrawn explains nothing
        return msgspec.structs.replace(cell, word="not as predicted", second=None)
    found = _beside(second.expect, cell.measures, Terms(cell.shoppers, cell.nodes, cell.at_risk))
    refuted = {prediction.measure for prediction in cell.predictions if not prediction.holds}
    # All that was refuted, and all that is said now: half an explanation is none.
    understood = refuted <= set(second.expect) and _hold(found, second)
    look = SecondLook(second.dated, found, second.finding, second.because, second.seeds(cell.architecture))
    return msgspec.structs.replace(
        cell, word="refuted and understood" if understood else "not as predicted", second=look
    )


def all_seconds() -> dict[Place, Second]:
    """The second predictions that come with Twinshop."""
    scenarios = {entry.scenario.name: entry.scenario for entry in catalogue()}
    return read_seconds(FILE.read_bytes(), scenarios, file=str(FILE))


def read_understood(folder: Path) -> Matrix:
    """The matrix in that folder, its refuted cells looked at again with the table as it is now.

    Raises:
        RunFolderError: there is none, it is damaged, or of another schema.
    """
    return looked_at_again(read_matrix(folder), all_seconds())
