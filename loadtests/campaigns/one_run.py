"""One run of a campaign: in this process, or in one of its own, which takes nothing with it when it dies.

The latter is `python -m loadtests.campaigns.one_run`, with an `RunOrder` as JSON. It prints one `Outcome` on standard
output, whatever happens; progress and problems go to standard error. If the campaign dies, the run interrupts itself:
nobody would read its results, and it does not hold the machine.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path

import msgspec

from compose.engines.contract import Engine
from compose.engines.registry import engine_named
from loadtests.campaigns.runner import Launcher, Outcome, Over, RunJob
from loadtests.model.events import RunInterrupted, read_events
from loadtests.model.run_folder import RunFolder
from loadtests.running.application import ApplicationUnderTest
from loadtests.running.console import interrupts_raise
from loadtests.running.progress import PlainLines, RunWatcher
from loadtests.running.run import RunRequest, run, write_report, write_results
from shared.errors import Busy, Interrupted, TwinshopError

LOOK_EVERY_S = 0.5
_decode_outcome = msgspec.json.Decoder(Outcome).decode


class InThisProcess(Launcher):
    """Runs one job after the other; whoever asks holds the machine."""

    def __init__(self, request: RunRequest, engine: Engine, watcher: RunWatcher) -> None:
        """`request`: all that a job does not say, and where the run folders go."""
        self._request = request
        self._engine = engine
        self._watcher = watcher

    def start(self, job: RunJob) -> Over:
        """Run it to its end.

        Raises:
            TwinshopError: nothing could be measured; Interrupted, if it was cut short: its run folder stays.
        """
        request = msgspec.structs.replace(
            self._request, architectures=job.architectures, seed=job.seed, control=job.control
        )
        finished = run(request, self._engine, self._watcher, held=True)
        with suppress(OSError):  # `run` made it for itself; the newest is the campaign, not a run of it
            (self._request.runs / "latest").unlink()
        if finished.interrupted is not None:
            raise finished.interrupted
        return Over(Outcome(finished.folder.root.name, tuple(finished.results.architectures)))


class Processes(Launcher):
    """Each run is a child process; what it says on the way goes to `logs/<scenario>.log` beside its folder."""

    def __init__(self, folder: Path, engine: str, app: Path | None = None) -> None:
        """`app`: the description of what is under test, if it is none of the twins."""
        self._folder = folder
        self._engine = engine
        self._app = str(app.absolute()) if app else ""

    def start(self, job: RunJob) -> RunProcess:
        """Start one and return at once."""
        folder = self._folder / job.into
        logs = folder / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        order = RunOrder(job, self._engine, str(folder.absolute()), os.getpid(), app=self._app)
        return RunProcess(order, logs / f"{Path(job.scenario).stem}.log")


class RunProcess:
    """One run in a process of its own."""

    def __init__(self, order: RunOrder, log: Path) -> None:
        self._log = log
        self._process = start_run(order, log)

    def ending(self) -> Outcome | None:
        """What came of it; None as long as it goes on."""
        if self._process.poll() is None:  # it can end unread: an outcome is smaller than what a pipe holds
            return None
        said, _ = self._process.communicate()
        try:
            return _decode_outcome(said)
        except msgspec.DecodeError:
            # Killed, or ended before it could say anything: the others of the campaign go on.
            return Outcome(error=f"its process ended with {self._process.returncode}: see logs/{self._log.name}")

    def interrupt(self) -> None:
        """SIGINT: the first one is heard, later ones are ignored."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL, and wait for it."""
        self._process.kill()
        self._process.communicate()


class RunOrder(msgspec.Struct, frozen=True):
    """What is to be run, by whom it is wanted."""

    job: RunJob
    engine: str
    folder: str
    """Where run folders go."""
    parent: int
    """The pid of the campaign."""
    shoppers: int | None = None
    """None: as many as the scenario says."""
    workers: int = 1
    """Load processes."""
    held: bool = True
    """Whoever asks holds the machine already."""
    app: str = ""
    """The description of what is under test; empty: the twins."""


_decode_run_order = msgspec.json.Decoder(RunOrder).decode


def start_run(order: RunOrder, log: Path) -> subprocess.Popen[bytes]:
    """Have the order carried out by a process, whose words go to that file; its outcome is on its standard output."""
    with log.open("wb") as words:  # ours is closed again; the process has its own
        return subprocess.Popen(
            [sys.executable, "-m", "loadtests.campaigns.one_run", msgspec.json.encode(order).decode()],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=words,
        )  # fmt: skip


def main() -> int:
    """Carry out the order in the first argument."""
    order = _decode_run_order(sys.argv[1])
    # A daemon: where the campaign lives on, its loop has no end, and the run's process must not wait for it.
    threading.Thread(target=_end_with, args=(order.parent,), daemon=True).start()
    outcome = carry_out(order)
    sys.stdout.buffer.write(msgspec.json.encode(outcome) + b"\n")
    sys.stdout.flush()
    return 0


def carry_out(order: RunOrder) -> Outcome:
    """Run it, and say what came of it; what was measured before something went wrong is judged all the same."""
    folder, job = Path(order.folder), order.job
    before = _run_folders(folder)  # a run that fails does not say where it was: what is new afterwards is its folder
    error, interrupted = "", False
    try:
        with interrupts_raise():
            request = RunRequest(
                job.scenario, job.architectures, job.seed, order.shoppers, order.workers, runs=folder,
                control=job.control, balancer=job.balancer, report=job.report,
                application=ApplicationUnderTest.load(Path(order.app)) if order.app else None,
            )  # fmt: skip
            # On standard error: on standard output the campaign reads the outcome, and nothing else.
            finished = run(request, engine_named(order.engine), PlainLines(sys.stderr), held=order.held)
            interrupted = finished.interrupted is not None
    except (Interrupted, KeyboardInterrupt):
        interrupted = True
    except Busy as problem:  # of the machine, before any folder was made
        return Outcome(error=_in_one_line(problem), busy=True)
    except Exception as problem:  # noqa: BLE001 - the campaign goes on, and this run's cells say what happened
        error = _in_one_line(problem)
    made = _run_folders(folder) - before
    return _outcome(folder, made, order, error, interrupted)


def _outcome(folder: Path, made: set[str], order: RunOrder, error: str, interrupted: bool) -> Outcome:
    # What else is new is of a run beside this one, of another scenario.
    mine = sorted(name for name in made if name.endswith(f"-{Path(order.job.scenario).stem}-{order.job.seed}"))
    if not mine:
        return Outcome(error=error, interrupted=interrupted)
    found = RunFolder(folder / mine[-1])
    measured: tuple[str, ...] = ()
    cut: dict[str, str] = {}
    try:
        # A run that failed may have been ended before its own judging, or in it.
        results = write_results(found) if error or not found.results.is_file() else None
        measured, cut = _measured(found, order.job.architectures)
        if results is not None and order.job.report:
            write_report(found, results)
    except Exception as problem:  # noqa: BLE001 - a report that cannot be written takes no result with it
        error = error or _in_one_line(problem)
    return Outcome(mine[-1], measured, cut, error, interrupted)


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
    """Interrupt this process when its parent is gone."""
    while os.getppid() == parent:  # an orphan is given to another parent
        time.sleep(LOOK_EVERY_S)
    # Not SIGINT: a shell that starts the campaign in the background has it, and this process, ignore that.
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
