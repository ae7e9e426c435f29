"""The harness's side of the load: starts the load processes, says go, reads how far they are, merges what they wrote.

Locust runs only in those processes: importing it here would patch the command line's own sockets and threads.
"""

import heapq
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from compose.supervision.child import Child, spawn
from compose.supervision.ledger import Ledger
from loadtests.load.worker_config import (
    END_FILE,
    GO_FILE,
    EndSignal,
    LoadProgress,
    StartSignal,
    WorkerConfig,
    history_file,
    newest_progress,
    progress_file,
    total_progress,
)
from loadtests.model.plan import Plan
from shared.whole_file import write_whole

LOCUSTFILE = Path(__file__).parents[1] / "locustfile.py"
KILLED_WITHIN_S = 5.0


class LoadProcesses:
    """The load processes of one architecture."""

    def __init__(self, children: Sequence[Child], folder: Path) -> None:
        self._children = tuple(children)
        self._folder = folder

    def ready(self) -> bool:
        """Every process has all its shoppers waiting for the go."""
        return all(newest_progress(path) is not None for path in self._progress_files())

    def go(self, zero_monotonic_ns: int) -> None:
        """Let the load window begin at that time.monotonic_ns()."""
        write_whole(self._folder / GO_FILE, msgspec.json.encode(StartSignal(zero_monotonic_ns)))

    def end_window(self, window_ms: int) -> None:
        """Let a live load window end that long after its zero: far enough ahead that every process hears of it."""
        write_whole(self._folder / END_FILE, msgspec.json.encode(EndSignal(window_ms)))

    def progress(self) -> LoadProgress:
        """The newest line of each process, added up."""
        return total_progress(newest_progress(path) or LoadProgress() for path in self._progress_files())

    def finished(self) -> bool:
        """Every process has ended, well or badly."""
        return all(child.exit_code is not None for child in self._children)

    def exit_codes(self) -> tuple[int | None, ...]:
        """Of each process: 0, it has done all it was to do; negative, the signal that ended it; None, it runs."""
        return tuple(child.exit_code for child in self._children)

    def pids(self) -> tuple[int, ...]:
        """Of each process, for measuring it."""
        return tuple(child.pid for child in self._children)

    def problem(self) -> str:
        """Why a process gave up, in its own words; "" if none did."""
        return self.progress().problem

    def histories(self) -> list[Path]:
        """What each process asked and was answered, for `merge_histories`."""
        return [history_file(self._folder, worker) for worker in range(len(self._children))]

    def stop(self, seconds: float) -> None:
        """Let every process record what it did not do any more, then end it; after that long, kill it."""
        for child in self._children:
            child.terminate()
        for child in self._children:
            child.gone(seconds)
        self.kill()

    def kill(self) -> None:
        """End every process now. Safe to repeat."""
        for child in self._children:
            child.kill()
        for child in self._children:
            child.gone(KILLED_WITHIN_S)

    def _progress_files(self) -> list[Path]:
        return [progress_file(self._folder, worker) for worker in range(len(self._children))]


def start_load(ledger: Ledger, config: WorkerConfig, plan: Plan, url: str) -> LoadProcesses:
    """Start the load processes; each takes its share of the shoppers, and none is without any.

    `config` has the plan's file, a folder, and how many processes there are to be at most.

    Raises:
        EnvironmentNotReady: one cannot be started; those that were are in the ledger.
    """
    assert config.folder is not None
    workers = min(config.workers, len(plan.shoppers))
    children = []
    for worker in range(workers):
        told = msgspec.structs.replace(config, worker=worker, workers=workers)
        count = sum(told.mine(shopper.shopper) for shopper in plan.shoppers)
        environment = {**told.environment(), "PYTHONUNBUFFERED": "1"}  # or its last words stay behind when it is killed
        name, command, log = f"load-{worker}", _locust(url, count), config.folder / f"load-{worker}.log"
        children.append(spawn(ledger, name, command, env=environment, log=log, cwd=config.folder))
    return LoadProcesses(children, config.folder)


def merge_histories(paths: Sequence[Path], out: Path) -> tuple[str, ...]:
    """Append the histories to `out`, in order of `done_us`; they are read line by line, never whole.

    Returns:
        Damaged lines that were dropped (their process was killed, or the disk full), in words: the run is void then.
    """
    remarks: list[str] = []
    streams = [_records(path, remarks) for path in paths]
    with out.open("ab") as merged:
        # Each is in order of `done_us` already, so that one line of each is all that is in memory.
        merged.writelines(line for _, line in heapq.merge(*streams, key=lambda record: record[0]))
    return tuple(sorted(remarks))


class _When(msgspec.Struct):
    done_us: int


def _records(path: Path, remarks: list[str]) -> Iterator[tuple[int, bytes]]:
    decoder = msgspec.json.Decoder(_When)
    try:
        lines = path.open("rb")
    except FileNotFoundError:
        remarks.append(f"{path.name} was never written")
        return
    with lines:
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):  # its process died while it wrote
                remarks.append(f"{path.name}, line {number}: cut off, dropped")
                return
            try:
                yield decoder.decode(line).done_us, line
            except msgspec.DecodeError:
                remarks.append(f"{path.name}, line {number}: not a record, dropped")


def _locust(url: str, shoppers: int) -> list[str]:
    """The command of one load process: no statistics printed while it runs."""
    # All shoppers at once: they wait for the go, and when each of them logs in is for the plan to say.
    return [
        sys.executable, "-m", "loadtests.load.locust_process", "-f", os.fspath(LOCUSTFILE), "--headless",
        "--only-summary", "--host", url, "--users", str(shoppers), "--spawn-rate", str(shoppers),
    ]  # fmt: skip
