"""Several pieces of work at once, in processes of our own: for what takes a processor, not for what waits.

Nothing is left of it, however it ends: whoever asked may be interrupted, a process may be killed, and if the one that
asked is killed itself, the others notice and end. (`multiprocessing` would leave a process that tracks its resources.)
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from queue import SimpleQueue
from threading import Thread
from typing import Any, BinaryIO, TypeVar

from shared.errors import TwinshopError

T = TypeVar("T")
R = TypeVar("R")


def in_processes(work: Callable[[T], R], pieces: Sequence[T], at_once: int) -> list[R]:
    """What comes of the pieces, in their order. `work` must be a function of a module; all else is pickled.

    Raises:
        Exception: what the work on the first of the pieces that failed has raised.
        TwinshopError: a process ended before it was done.
    """
    workers: list[_Worker] = []
    try:
        workers += [_Worker(work) for _ in range(min(at_once, len(pieces)))]
        return _shared_out(pieces, workers)
    finally:
        for worker in workers:
            worker.end()


def _shared_out(pieces: Sequence[Any], workers: list[_Worker]) -> list[Any]:
    """Whoever is done takes the next piece; once one has failed, nobody asks for those that come after it."""
    outcomes: dict[int, tuple[bool, Any]] = {}
    waiting = list(range(len(pieces)))
    busy: dict[Any, tuple[_Worker, int]] = {}
    idle = list(workers)
    while waiting or busy:
        while waiting and idle:
            worker, number = idle.pop(), waiting.pop(0)
            worker.give(pieces[number])
            busy[worker.answers.fileno()] = worker, number
        for ready in wait(list(busy)):
            worker, number = busy.pop(ready)
            idle.append(worker)
            went_well, _ = outcomes[number] = worker.take()
            if not went_well:
                waiting = [other for other in waiting if other < number]
    for _, (went_well, outcome) in sorted(outcomes.items()):
        if not went_well:
            raise outcome
    return [outcomes[number][1] for number in range(len(pieces))]


class _Worker:
    """One process, which does one piece of work after the other."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
        # In a session of its own: Ctrl-C comes to whoever asked, who knows what it means. What can be imported here,
        # can be there.
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._asked: BinaryIO = self._process.stdin  # type: ignore[assignment]
        self.answers: BinaryIO = self._process.stdout  # type: ignore[assignment]
        self.give(work)

    def give(self, piece: object) -> None:
        """Let it begin; that a process is gone, `take` will notice."""
        try:
            pickle.dump(piece, self._asked)
            self._asked.flush()
        except BrokenPipeError:
            return

    def take(self) -> tuple[bool, Any]:
        """Whether it came to its end, and what came of it: a result, or an exception."""
        try:
            return pickle.load(self.answers)  # type: ignore[no-any-return]
        except (EOFError, pickle.UnpicklingError):
            ended = self._process.wait()
            return False, TwinshopError(
                "a process that took part in judging ended before it was done",
                why=f"signal {-ended}: perhaps the machine ran out of memory" if ended < 0 else f"exit code {ended}",
                next_step="judge the run again: twinshop report RUN",
            )

    def end(self) -> None:
        """End it at once; it holds nothing that would need to be put in order."""
        self._process.kill()
        self._process.wait()
        self.answers.close()
        try:
            self._asked.close()
        except BrokenPipeError:  # it was killed before it had taken all that it was given
            return


def _serve() -> None:
    """In the process: do what comes, for as long as whoever asked is there."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what anybody prints is not to get among the answers
    given: SimpleQueue[Any] = SimpleQueue()
    Thread(target=_listen, args=(given,), daemon=True).start()
    work = given.get()
    while True:
        try:
            outcome = True, work(given.get())
        except Exception as error:  # noqa: BLE001 - whatever it is: whoever asked is to hear of it
            outcome = False, error
        pickle.dump(outcome, answers)
        answers.flush()


def _listen(given: SimpleQueue[Any]) -> None:
    """Take what is given; when whoever gives it is gone, end the process, in the middle of its work if need be."""
    while True:
        try:
            given.put(pickle.load(sys.stdin.buffer))
        except (EOFError, pickle.UnpicklingError):
            os._exit(1)


if __name__ == "__main__":
    _serve()
