"""Several pieces of work at once, a process of its own for each: for what takes a processor, not for what waits.

Nothing is left of it, however it ends: whoever asked may be interrupted, a process may be killed, and if the one that
asked is killed itself, the others notice and end. (A `ProcessPoolExecutor` that does not fork leaves a process that
tracks its resources; one that does would copy the locks of whatever threads there are.)
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event, Thread
from typing import Any, TypeVar

from shared.errors import TwinshopError

T = TypeVar("T")
R = TypeVar("R")


def in_processes(work: Callable[[T], R], pieces: Sequence[T], at_once: int) -> list[R]:
    """What comes of the pieces, in their order. `work` must be a function of a module; all else is pickled.

    Raises:
        Exception: what the work on the first of the pieces that failed has raised.
        TwinshopError: a process ended before it was done.
    """
    over = Event()
    processes: list[subprocess.Popen[bytes]] = []

    def in_a_process(piece: T) -> Any:
        # In a session of its own: Ctrl-C comes to whoever asked, who knows what it means. What can be imported here,
        # can be there.
        process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        processes.append(process)
        if over.is_set():  # it was started too late to be seen below
            process.kill()
        return _outcome(process, (work, piece))

    threads = ThreadPoolExecutor(at_once)
    try:
        return list(threads.map(in_a_process, pieces))
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        over.set()
        for process in processes:
            process.kill()  # it holds nothing that would need to be put in order
        threads.shutdown()


def _outcome(process: subprocess.Popen[bytes], task: object) -> Any:
    """What came of the task that this process is to do."""
    assert process.stdin is not None
    assert process.stdout is not None
    with process, suppress(BrokenPipeError):  # raised by closing what a process has not read to its end
        with suppress(BrokenPipeError):
            pickle.dump(task, process.stdin)
            process.stdin.flush()  # and kept open: its end says that nobody waits any more
        answer = process.stdout.read()
    if process.returncode:
        code = process.returncode
        raise TwinshopError(
            "a process that took part in judging ended before it was done",
            why=f"signal {-code}: perhaps the machine ran out of memory" if code < 0 else f"exit code {code}",
            next_step="judge the run again: twinshop report RUN",
        )
    went_well, outcome = pickle.loads(answer)
    if not went_well:
        raise outcome
    return outcome


def _serve() -> None:
    """In the process: do the task, for as long as whoever asked is there."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what anybody prints is not to get among the answers
    work, piece = pickle.load(sys.stdin.buffer)
    Thread(target=_end_with_parent, daemon=True).start()
    try:
        outcome = True, work(piece)
    except Exception as error:  # noqa: BLE001 - whatever it is: whoever asked is to hear of it
        outcome = False, error
    pickle.dump(outcome, answers)
    answers.flush()
    os._exit(0)  # not by way of a thread that still reads, nor of objects by the million


def _end_with_parent() -> None:
    # Nothing more is written there: it returns when the pipe is closed, as the system does however the parent ends.
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


if __name__ == "__main__":
    _serve()
