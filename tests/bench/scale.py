"""Judging and reporting a big run: what `twinshop report` costs, by the record. `make bench` prints it.

    python -m tests.bench.scale 5000000

makes a run of that many history records in a temporary folder (some 700 bytes of disk a record, logs included), then
lets a fresh process judge it and write its report, as a user would, and watches that process and its children.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import msgspec
import psutil

from loadtests.model.results import Results
from loadtests.model.run_folder import RunFolder
from tests.bench.big_run import NAMES, write_big_run

RECORDS = 1_000_000
BUDGET_RECORDS, BUDGET_S, BUDGET_MB, BUDGET_KB = 5_000_000, 10.0, 300.0, 500.0
LOOK_EVERY_S = 0.05


class Cost(msgspec.Struct, frozen=True):
    """What judging and reporting took."""

    records: int
    wall_s: float
    cpu_s: float
    peak_mb: float
    """Memory of all its processes together, at the look at which it was most; what they share (the interpreter, its
    libraries) counts once where the system can tell (Linux: proportional set size), else once for each."""
    report_kb: float

    def lines(self) -> list[str]:
        """The figures, beside the budget."""
        share = self.records / BUDGET_RECORDS
        return [
            f"{self.records:,} history records, {len(NAMES)} architectures, the balancer's and the nodes' logs",
            f"wall        {self.wall_s:8.1f} s   {1e6 * self.wall_s / self.records:6.2f} µs a record"
            f"   {self.wall_s / (BUDGET_S * share):5.2f} of the budget",
            f"processor   {self.cpu_s:8.1f} s   {1e6 * self.cpu_s / self.records:6.2f} µs a record",
            f"memory      {self.peak_mb:8.0f} MB at its peak{'':17}{self.peak_mb / BUDGET_MB:5.2f} of the budget",
            f"report.html {self.report_kb:8.0f} KB{'':30}{self.report_kb / BUDGET_KB:5.2f} of the budget",
        ]


class Watch(threading.Thread):
    """Looks at a process and its children until it is gone."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0
        self._root = psutil.Process(pid)

    def run(self) -> None:
        """Look and look again."""
        while self._root.is_running() and self._root.status() != psutil.STATUS_ZOMBIE:
            self.peak_bytes = max(self.peak_bytes, self._look())
            time.sleep(LOOK_EVERY_S)

    def _look(self) -> int:
        total = 0
        try:
            for process in (self._root, *self._root.children(recursive=True)):
                memory = process.memory_full_info()
                total += getattr(memory, "pss", memory.rss)
        except psutil.NoSuchProcess:
            pass
        return total


def measure(run: RunFolder, *, as_predicted: bool = True) -> Cost:
    """Judge and report it in a fresh process."""
    began, spent = time.monotonic(), _children_s()
    process = subprocess.Popen([sys.executable, "-m", "loadtests.cli", "report", str(run.root)])
    watch = Watch(process.pid)
    watch.start()
    assert process.wait() == 0
    wall_s = time.monotonic() - began
    watch.join()
    results = msgspec.json.decode(run.results.read_bytes(), type=Results)
    if as_predicted:
        assert results.verdict == "as predicted", results.answer
        assert not any(each.reconciliation.mismatch_count for each in results.architectures.values())
    kb = run.report.stat().st_size / 1000
    return Cost(_lines(run.history), wall_s, _children_s() - spent, watch.peak_bytes / 2**20, kb)


def _children_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 20), b""))


def main() -> None:
    """Print the figures of one run."""
    records = int(sys.argv[1]) if len(sys.argv) > 1 else RECORDS
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        run = write_big_run(Path(folder) / "big-run", records)
        print(f"made in {time.monotonic() - began:.0f} s", file=sys.stderr)
        for line in measure(run).lines():
            print(line)


if __name__ == "__main__":
    main()
