"""`twinshop …` as a program of its own, in the rehearsal's folder: as a reader of the texts would type it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from compose.running import new_run_id
from compose.supervision.child import Child, spawn
from compose.supervision.ledger import Ledger, state_folder
from compose.supervision.waiting import tail
from shared.errors import NotReadyInTime

T = TypeVar("T")

ROOT = Path(__file__).parents[3]
COMMAND_WITHIN_S = 180.0
END_WITHIN_S = 40.0
LOOK_S = 0.05


def run(words: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command to its end: `twinshop …`, or `make …`, of which it is only seen that it would run.

    What `make` would do (install, above all) has been done, or this would not run; it is not for a rehearsal to repeat.

    Raises:
        NotReadyInTime: it did not end in time.
    """
    if words[0] == "make":
        command, place = ["make", "-n", *words[1:]], ROOT
    else:
        command, place = _program(words[1:]), folder
    try:
        return subprocess.run(
            command, cwd=place, env={**os.environ, "NO_COLOR": "1"}, capture_output=True, text=True, check=False,
            timeout=COMMAND_WITHIN_S, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise NotReadyInTime(f"{' '.join(words)} did not end within {COMMAND_WITHIN_S:g} s") from error


@contextmanager
def running(words: Sequence[str], folder: Path, name: str, kind: type[T], within_s: float) -> Iterator[T]:
    """A `twinshop` that stays: what it says when it is ready, one JSON document; in the end, Ctrl-C.

    It stands in a ledger: if the rehearsal is killed, the next run or `twinshop recover` ends it.

    Raises:
        NotReadyInTime: it did not say it in time, or ended.
    """
    said, log = folder / f"{name}.json", folder / f"{name}.log"
    with Ledger.open(state_folder(), new_run_id()) as ledger:
        # `spawn` has one log for both outputs, and the JSON must be alone. `exec`, so that Ctrl-C reaches twinshop.
        command = ["/bin/sh", "-c", 'exec "$@" >"$0"', str(said), *_program(words)]
        child = spawn(ledger, "workshop", command, env={"NO_COLOR": "1"}, log=log, cwd=folder)
        try:
            opened = _opened(child, said, kind, within_s)
            if opened is None:
                raise NotReadyInTime(
                    f"twinshop {' '.join(words)} was not ready within {within_s:g} s", log=log, tail=tail(log)
                )
            yield opened
        finally:
            _end(child)


def _opened(child: Child, said: Path, kind: type[T], within_s: float) -> T | None:
    """What it says when it is ready; None: it did not say it in time, or ended."""
    until = time.monotonic() + within_s
    while True:
        # Asked before its words are read: it may speak and end in between.
        ended = child.exit_code is not None
        with suppress(OSError, msgspec.DecodeError):  # not yet, or not yet all of it
            return msgspec.json.decode(said.read_bytes(), type=kind)
        if ended or time.monotonic() > until:
            return None
        time.sleep(LOOK_S)


def _end(child: Child) -> None:
    with suppress(ProcessLookupError):
        if child.exit_code is None:
            os.kill(child.pid, signal.SIGINT)
    child.wait(END_WITHIN_S)
    if child.alive():
        child.kill()  # what it started is in ledgers of its own: the next run clears it away
        child.gone(1.0)


def _program(words: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "loadtests.cli", *words]
