"""One run, in a process of its own: `python -m loadtests.campaigns.matrix.one_run`, with an `Order` as JSON.

Prints one `Ending` on standard output, whatever happens; progress and problems go to standard error. If the matrix
dies, the run interrupts itself: nobody would read its results, and it does not hold the machine.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path

import msgspec

from compose.engines.registry import engine_named
from loadtests.model.events import RunInterrupted, read_events
from loadtests.model.run_folder import RunFolder
from loadtests.running.interrupts import interrupts_raise
from loadtests.running.progress import PlainLines
from loadtests.running.run import RunRequest, run, write_report, write_results
from shared.errors import Interrupted, TwinshopError

LOOK_EVERY_S = 0.5


class Order(msgspec.Struct, frozen=True):
    """What is to be run, by whom it is wanted."""

    scenario: str
    architectures: tuple[str, ...]
    seed: int
    engine: str
    folder: str
    """Where run folders go."""
    parent: int
    """The pid of the matrix."""


class Ending(msgspec.Struct, frozen=True):
    """What came of it."""

    run: str = ""
    """The run's folder, by name; empty if it was not even made."""
    measured: tuple[str, ...] = ()
    """The architectures that were measured to their end and judged."""
    cut: dict[str, str] = msgspec.field(default_factory=dict)
    """Those that were begun and not finished, and why."""
    error: str = ""
    """What went wrong with the run as a whole, in one line."""
    interrupted: bool = False


def main() -> int:
    """Carry out the order in the first argument."""
    order = msgspec.json.decode(sys.argv[1], type=Order)
    threading.Thread(target=_end_with, args=(order.parent,), daemon=True).start()
    ending = carry_out(order)
    sys.stdout.buffer.write(msgspec.json.encode(ending) + b"\n")
    sys.stdout.flush()
    return 0


def carry_out(order: Order) -> Ending:
    """Run it, and say what came of it; what was measured before something went wrong is judged all the same."""
    folder = Path(order.folder)
    before = _run_folders(folder)
    error, interrupted = "", False
    try:
        with interrupts_raise():
            request = RunRequest(order.scenario, order.architectures, order.seed, runs=folder)
            finished = run(request, engine_named(order.engine), PlainLines(sys.stderr), held=True)
            interrupted = finished.interrupted is not None
    except (Interrupted, KeyboardInterrupt):
        interrupted = True
    except Exception as problem:  # noqa: BLE001 - the matrix goes on, and this run's cells say what happened
        error = _in_one_line(problem)
    made = _run_folders(folder) - before
    return _ending(folder, made, order, error, interrupted)


def _ending(folder: Path, made: set[str], order: Order, error: str, interrupted: bool) -> Ending:
    mine = sorted(name for name in made if name.endswith(f"-{order.scenario}-{order.seed}"))
    if not mine:
        return Ending(error=error, interrupted=interrupted)
    found = RunFolder(folder / mine[-1])
    measured: tuple[str, ...] = ()
    cut: dict[str, str] = {}
    try:
        results = write_results(found) if error or not found.results.is_file() else None
        measured, cut = _measured(found, order.architectures)
        if results is not None:
            write_report(found, results)
    except Exception as problem:  # noqa: BLE001 - a report that cannot be written takes no result with it
        error = error or _in_one_line(problem)
    return Ending(mine[-1], measured, cut, error, interrupted)


def _in_one_line(problem: Exception) -> str:
    """For the cell; what nobody expected is told in full on standard error."""
    if not isinstance(problem, TwinshopError):
        traceback.print_exc()
        return f"internal error: {type(problem).__name__}: {problem}"
    return " ".join(f"{problem.what} ({problem.why})".split() if problem.why else problem.what.split())


def _measured(found: RunFolder, asked: tuple[str, ...]) -> tuple[tuple[str, ...], dict[str, str]]:
    events = list(read_events(found.events))
    cut = {event.architecture: event.why for event in events if isinstance(event, RunInterrupted)}
    begun = {event.architecture for event in events}
    return tuple(name for name in asked if name in begun and name not in cut), cut


def _run_folders(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_dir() and not path.is_symlink()}


def _end_with(parent: int) -> None:
    """Interrupt this process when its parent is gone.

    By SIGTERM: who starts the matrix in the background has it, and this process, ignore SIGINT.
    """
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
