"""One run at a time on a machine: two would measure each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from shared.errors import Busy, EnvironmentNotReady


@contextmanager
def hold_machine(state: Path) -> Iterator[None]:
    """Hold the machine for one run. The system lets go of it when the holder dies, however it dies.

    Raises:
        Busy: another run holds it.
        EnvironmentNotReady: the state folder cannot be written.
    """
    path = state / "machine.lock"
    lock = FileLock(path)
    try:
        state.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise Busy(
            "another run is going on",
            why="two runs at once would measure each other",
            next_step="wait for it to end, or stop it with Ctrl-C in its window",
        ) from None
    except OSError as error:
        raise EnvironmentNotReady(
            f"cannot lock {path}",
            why=error.strerror or str(error),
            next_step="make its folder writable, or set TWINSHOP_STATE to another one",
        ) from error
    try:
        yield
    finally:
        lock.release()
