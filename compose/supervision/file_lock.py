"""Of those who hold the same file, in whatever thread or process, there is one at a time."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PAUSE_S = 0.02


@contextmanager
def hold_file(path: Path, within_s: float = 0.0) -> Iterator[None]:
    """Hold it, and make it if it is not there; the system lets go of it when the holder dies, however it dies.

    Raises:
        TimeoutError: somebody else holds it, and did for that long.
        OSError: it cannot be opened or locked.
    """
    deadline = time.monotonic() + within_s
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        while not _locked(handle):
            if time.monotonic() >= deadline:
                raise TimeoutError(f"somebody else holds {path}")
            time.sleep(_PAUSE_S)
        yield
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
