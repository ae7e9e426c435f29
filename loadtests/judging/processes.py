"""Several pieces of work at once, each in another process: for what takes a processor, not for what waits.

Nothing is left of it, however it ends: whoever asked may be interrupted, a process may be killed, and if the one that
asked is killed itself, the others notice and end. (A `ProcessPoolExecutor` that does not fork leaves a process that
tracks its resources; one that does would copy the locks of whatever threads there are.)
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
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
    idle: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
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
        return process

    def in_a_process(piece: T) -> Any:
        # One that is done with a piece takes the next: to begin with imports takes as long as judging 30,000 records.
        try:
            process = idle.pop()
        except IndexError:
            process = start()
        outcome = _outcome(process, (work, piece))
        idle.append(process)
        return outcome

    threads = ThreadPoolExecutor(at_once)
    try:
        return list(threads.map(in_a_process, pieces))
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        over.set()
        for process in processes:
            process.kill()  # it holds nothing that would need to be put in order
        threads.shutdown()
        for process in processes:
            with suppress(BrokenPipeError), process:  # raised by closing what a process has not read to its end
                process.kill()


def _outcome(process: subprocess.Popen[bytes], task: object) -> Any:
    """What came of the task that this process is to do."""
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(BrokenPipeError):
        pickle.dump(task, process.stdin)
        process.stdin.flush()  # and kept open: its end says that nobody waits any more
    try:
        went_well, outcome = pickle.load(process.stdout)
    except (EOFError, pickle.UnpicklingError):
        code = process.wait()
        raise TwinshopError(
            "a process that took part in judging ended before it was done",
            why=f"signal {-code}: perhaps the machine ran out of memory" if code < 0 else f"exit code {code}",
            next_step="judge the run again: twinshop report RUN",
        ) from None
    if not went_well:
        raise outcome
    return outcome


def _serve() -> None:
    """In the process: do what comes, for as long as whoever asked is there."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what anybody prints is not to get among the answers
    tasks: SimpleQueue[Any] = SimpleQueue()
    Thread(target=_listen, args=(tasks,), daemon=True).start()
    while True:
        pickle.dump(_done(*tasks.get()), answers)  # and kept nowhere: while the next is done, its room is needed
        answers.flush()


def _done(work: Callable[[Any], Any], piece: Any) -> tuple[bool, Any]:
    """Whether it went well, and what came of it."""
    try:
        return True, work(piece)
    except Exception as error:  # noqa: BLE001 - whatever it is: whoever asked is to hear of it
        return False, error


def _listen(tasks: SimpleQueue[Any]) -> None:
    """Take in what comes; once the pipe is closed, as the system does however the parent ends, end in mid-work."""
    with suppress(EOFError, pickle.UnpicklingError):
        while True:
            tasks.put(pickle.load(sys.stdin.buffer))
    os._exit(1)  # not by way of a thread that still works, nor of objects by the million


if __name__ == "__main__":
    _serve()
