"""The same again: which predicted numbers are the same integer in every repeat, and how far the others spread.

    python -m tests.bench.repeats [--times N] [--out DIR] [--side-by-side N] [SCENARIO …]

Runs the scenarios (all, if none is named) with the same seed, each repeat in a folder of its own, and goes on where it
ended. A row is a number that a scenario predicts for an architecture. It is *deterministic* if the prediction is one
number (no relation, no range) and comes to the same each time. Ends with 1 if a
deterministic row differs in a repeat.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import msgspec

from loadtests.campaigns.cells import Matrix, read_matrix

_NO_NUMBER = ("<", ">", "=", "..")


class Row(msgspec.Struct, frozen=True):
    """One predicted number, in every repeat in which its cell was measured."""

    scenario: str
    architecture: str
    measure: str
    predicted: str
    values: tuple[float, ...]
    formulas: tuple[float, ...]
    """What the prediction came to."""

    @property
    def deterministic(self) -> bool:
        """The prediction is one number, and came to the same each time.

        Who is at risk on a hash ring, for example, is drawn anew in each run.
        """
        return len(set(self.formulas)) == 1 and not any(sign in self.predicted for sign in _NO_NUMBER)

    @property
    def same(self) -> bool:
        """It was the same each time."""
        return len(set(self.values)) == 1

    def line(self) -> str:
        """For a person."""
        found = (
            f"{self.values[0]:g}"
            if self.same
            else f"{min(self.values):g} .. {median(self.values):g} .. {max(self.values):g}"
        )
        name = f"{self.scenario} {self.architecture} {self.measure}"
        return f"{name:<70} {found:<22} predicted {self.predicted}   ({len(self.values)} repeats)"


def main() -> int:
    """Run what is missing, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("runs/repeats"))
    parser.add_argument("--side-by-side", type=int, default=1)
    parser.add_argument("scenarios", nargs="*")
    asked = parser.parse_args()
    folders = [asked.out / str(number) for number in range(1, asked.times + 1)]
    for folder in folders:
        _run(folder, asked.scenarios, asked.side_by_side)
    rows = rows_of([read_matrix(folder) for folder in folders])
    wanted = [row for row in rows if not asked.scenarios or row.scenario in asked.scenarios]
    lines, same = told(wanted)
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if same else 1


def rows_of(repeats: Sequence[Matrix]) -> list[Row]:
    """Every predicted number, with its value in each repeat."""
    cells = [matrix.by_place() for matrix in repeats]
    rows = []
    for scenario, architecture in sorted(set().union(*cells)):
        found = [by_place[scenario, architecture] for by_place in cells if (scenario, architecture) in by_place]
        measured = [cell for cell in found if cell.was_run and cell.word != "inconclusive"]
        for prediction in measured[0].predictions if measured else ():
            name = prediction.measure
            values = tuple(cell.measures[name] for cell in measured if name in cell.measures)
            formulas = tuple(said.value for cell in measured if (said := cell.prediction(name)))
            if values:
                rows.append(Row(scenario, architecture, name, prediction.predicted, values, formulas))
    return rows


def told(rows: Sequence[Row]) -> tuple[list[str], bool]:
    """What there is to say, and whether every deterministic row is the same each time."""
    fixed = [row for row in rows if row.deterministic]
    moved = [row for row in fixed if not row.same]
    timed = [row for row in rows if not row.deterministic]
    return [
        f"deterministic rows  {len(fixed) - len(moved)} of {len(fixed)} the same in every repeat",
        *(f"  {row.line()}" for row in moved),
        f"other rows          {sum(row.same for row in timed)} of {len(timed)} the same in every repeat",
        *(["the others, least .. median .. most:"] if timed else []),
        *(f"  {row.line()}" for row in timed if not row.same),
    ], not moved


def _run(folder: Path, scenarios: Sequence[str], side_by_side: int) -> None:
    command = [sys.executable, "-m", "loadtests.cli", "matrix", "--out", str(folder), "-q"]
    for name in scenarios:
        command += ["--scenario", name]
    subprocess.run([*command, "--side-by-side", str(side_by_side)], check=False, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
