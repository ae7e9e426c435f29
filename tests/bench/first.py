"""Does the first architecture of a run wait longer than the last? Runs in a fresh process each.

    python -m tests.bench.first [--runs N] [--cold] [--out FILE]

In half of the runs the order is reversed. First and last are two architectures that cost the same (both keep sessions
in memory, with a cookie or on a ring), so that what differs is the place; another one stands between them. `--cold`: as
just after an installation, with nothing compiled and no file of the installation in memory (files that a process uses
stay there). Prints the p95 of the first and of the last place, run by run, and what the statistics of repeats say of
their differences, and how large a difference would have to be for so many runs to show it. Exit code 1: one is shown.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import stdev

import msgspec

from loadtests.campaigns.repeats.statistics import ALPHA, chance_of, interval_of, smallest_chance

NAMES = ("sticky-memory", "redis", "sticky-hash")
SCENARIO = """\
question = "Does whoever is first wait longer?"
family = "control"
nodes = 3

[load]
shoppers = 30
seconds = 5
think_ms = 250
login_within_ms = 1000
"""
INSTALLED = ("compose", "loadtests", "shared", "stateful_app", "stateless_app")


class FirstAndLast(msgspec.Struct, frozen=True):
    """The p95 of one run's first and last architecture, in ms."""

    run: int
    first: str
    first_ms: float
    last: str
    last_ms: float

    @property
    def difference_ms(self) -> float:
        """By so much the first waited longer."""
        return self.first_ms - self.last_ms

    def line(self) -> str:
        """For a person."""
        return (
            f"run {self.run:>2}   first {self.first:<14} {self.first_ms:6.1f} ms   "
            f"last {self.last:<14} {self.last_ms:6.1f} ms   difference {self.difference_ms:+6.1f} ms"
        )


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--cold", action="store_true", help="as just after an installation")
    parser.add_argument("--out", type=Path, help="append each run to this file, as JSON")
    asked = parser.parse_args()
    found: list[FirstAndLast] = []
    for number in range(1, asked.runs + 1):
        found.append(measure(number, cold=asked.cold))
        print(found[-1].line(), flush=True)
        if asked.out:
            with asked.out.open("ab") as out:
                out.write(msgspec.json.encode(found[-1]) + b"\n")
    shown, verdict = verdict_of([run.difference_ms for run in found])
    print(verdict)
    return int(shown)


def measure(number: int, *, cold: bool) -> FirstAndLast:
    """One run in a process of its own; the order is reversed in runs 2 and 3 of every four."""
    names = NAMES[::-1] if number % 4 in (2, 3) else NAMES
    with tempfile.TemporaryDirectory() as folder:
        scenario, runs = Path(folder) / "first.toml", Path(folder) / "runs"
        scenario.write_text(SCENARIO)
        environment = {**os.environ, "TWINSHOP_STATE": f"{folder}/state"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # with it, every process compiles everything
        if cold:
            environment["PYTHONPYCACHEPREFIX"] = f"{folder}/compiled"
            forget_files()
        chosen = [word for name in names for word in ("--architecture", name)]
        command = [
            "-m",
            "loadtests.cli",
            "run",
            str(scenario),
            *chosen,
            "--seed",
            str(number),
            "--runs",
            str(runs),
            "-q",
        ]
        subprocess.run(
            [sys.executable, *command], env=environment, stdout=subprocess.DEVNULL
        )  # nothing is predicted: 3
        document = json.loads((runs / "latest" / "results.json").read_bytes())
    p95 = {name: of["latency_ms"]["raw"]["p95"] for name, of in document["architectures"].items()}
    return FirstAndLast(number, names[0], p95[names[0]], names[-1], p95[names[-1]])


def verdict_of(differences: Sequence[float]) -> tuple[bool, str]:
    """Whether a difference is shown, and what the statistics of repeats say of them."""
    mean, chance, best = interval_of(differences), chance_of(differences), smallest_chance(len(differences))
    ends = f"{mean.low:+.1f} … {mean.high:+.1f}" if mean.low is not None and mean.high is not None else "no interval"
    told = f"first - last: {mean.mean:+.1f} ms ({ends}), p = {chance:.4f}, {len(differences)} runs"
    if best > ALPHA:
        return False, f"{told}: so few runs can show nothing (p = {best:.2f} at best)"
    # Of a mean, about twice its standard error is shown more often than not.
    needed = 2 * stdev(differences) / len(differences) ** 0.5
    word = "a difference is shown" if chance <= ALPHA else "no difference is shown"
    return chance <= ALPHA, f"{told}: {word}; one of about {needed:.1f} ms would have been"


def forget_files() -> None:
    """Ask the system to drop the files of the installation from memory; nobody else loses anything by it."""
    root = Path(__file__).parents[2]
    for folder in (Path(sys.prefix), Path(os.__file__).parent, *(root / name for name in INSTALLED)):
        for path in folder.rglob("*"):
            if path.is_file():
                handle = os.open(path, os.O_RDONLY)
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(handle)


if __name__ == "__main__":
    sys.exit(main())
