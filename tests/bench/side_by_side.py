"""Does a neighbour distort what is counted? The same scenarios one at a time, then two, and what differs.

    python -m tests.bench.side_by_side [--out DIR] [--side-by-side N] [SCENARIO …]

Prints how many verdicts, leading numbers and other counts are the same, and which measures differ. Ends with 1 if a
verdict or a leading number does: then this machine is too small for that many.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections import Counter
from pathlib import Path

from loadtests.campaigns.cells import Matrix, read_matrix
from loadtests.planning.scenario_file import load_scenario

SCENARIOS = ("replay-after-logout", "session-fixation-unprotected", "scale-in", "node-kill", "rolling-deploy")


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/side-by-side"))
    parser.add_argument("--side-by-side", type=int, default=2)
    parser.add_argument("scenarios", nargs="*", default=SCENARIOS)
    asked = parser.parse_args()
    alone = _run(asked.out / "alone", asked.scenarios, 1)
    beside = _run(asked.out / "beside", asked.scenarios, asked.side_by_side)
    lines, same = compare(alone, beside)
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if same else 1


def compare(alone: Matrix, beside: Matrix) -> tuple[list[str], bool]:
    """What is the same and what is not; whether all verdicts and leading numbers are the same."""
    places = sorted(set(alone.by_place()) & set(beside.by_place()))
    pairs = [(alone.by_place()[place], beside.by_place()[place]) for place in places]
    verdicts = sum(one.word == two.word for one, two in pairs)
    leading = sum(
        one.measures.get(name) == two.measures.get(name)
        for one, two in pairs
        for name in (load_scenario(one.scenario).headline,)
    )
    counts: Counter[str] = Counter()
    differing: Counter[str] = Counter()
    for one, two in pairs:
        for name, value in one.measures.items():
            if value.is_integer():
                counts[name] += 1
                differing[name] += value != two.measures.get(name)
    lines = [
        f"verdicts         {verdicts} of {len(pairs)} the same",
        f"leading numbers  {leading} of {len(pairs)} the same",
        f"whole numbers    {counts.total() - differing.total()} of {counts.total()} the same",
        *(f"  {name:<30} {number} of {counts[name]} differ" for name, number in differing.most_common() if number),
    ]
    return lines, verdicts == leading == len(pairs)


def _run(folder: Path, scenarios: tuple[str, ...], side_by_side: int) -> Matrix:
    command = [sys.executable, "-m", "loadtests.cli", "matrix", "--out", str(folder), "-q", "--fresh"]
    for name in scenarios:
        command += ["--scenario", name]
    subprocess.run([*command, "--side-by-side", str(side_by_side)], check=False, stdout=subprocess.DEVNULL)
    return read_matrix(folder)


if __name__ == "__main__":
    sys.exit(main())
