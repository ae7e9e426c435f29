"""Harness overhead: the share of a run's wall time that is not load window. `make bench` prints it.

Everything but the load windows is overhead: importing, starting and stopping clusters and load processes, auditing,
judging, writing the report.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from loadtests.model.plan import read_plan
from loadtests.planning.scenario_file import load_scenario, scenario_file

RUNS = 3
SCENARIO = "node-kill"
WINDOW_S = 15
"""Of the scenario as it is measured here, whatever its own is: a share means nothing without it."""


class Overhead(msgspec.Struct, frozen=True):
    """One run's figures, in seconds."""

    wall_s: float
    windows_s: float

    @property
    def share(self) -> float:
        """Of the wall time, that is not load window."""
        return 1 - self.windows_s / self.wall_s


def measure() -> Overhead:
    """One whole run, as a user starts it."""
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder) / f"{SCENARIO}.toml"
        own = scenario_file(SCENARIO).read_text()
        scenario.write_text(re.sub(r"^seconds = .*", f"seconds = {WINDOW_S}", own, count=1, flags=re.MULTILINE))
        began = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "loadtests.cli", "run", str(scenario), "--quiet", "--runs", folder],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        wall_s = time.monotonic() - began
        plan = read_plan(Path(folder) / "latest" / "plan.json")
    return Overhead(wall_s, plan.window_ms / 1000 * len(load_scenario(SCENARIO).architectures))


def main() -> None:
    """Print the median of a few runs, and each."""
    runs = [measure() for _ in range(RUNS)]
    shares = sorted(run.share for run in runs)
    walls = sorted(run.wall_s for run in runs)
    print(
        f"harness overhead, {SCENARIO}, {RUNS} runs: median {statistics.median(shares):.1%} of the wall time "
        f"(runs: {', '.join(f'{share:.1%}' for share in shares)}); wall time median {statistics.median(walls):.1f} s"
    )


if __name__ == "__main__":
    main()
