"""`twinshop …` as a program of its own, in the rehearsal's folder: as a reader of the texts would type it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from compose.running import new_run_id
from compose.supervision.child import spawn
from compose.supervision.ledger import Ledger, state_folder
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


class RunningTwinshop:
    """A `twinshop` that stays: it says one JSON document when it is ready, and Ctrl-C ends it. Use it as a context.

    It stands in a ledger: if the rehearsal is killed, the next run or `twinshop recover` ends it.
    """

    def __init__(self, words: Sequence[str], folder: Path, name: str) -> None:
        self._words = tuple(words)
        self._said, self._log = folder / f"{name}.json", folder / f"{name}.log"
        self._ledger = Ledger.open(state_folder(), new_run_id())
        try:
            # `spawn` has one log for both outputs, and the JSON must be alone. `exec`, so that Ctrl-C reaches twinshop.
            self._child = spawn(
                self._ledger, "workshop", ["/bin/sh", "-c", 'exec "$@" >"$0"', str(self._said), *_program(words)],
                env={"NO_COLOR": "1"}, log=self._log, cwd=folder,
            )  # fmt: skip
        except BaseException:
            self._ledger.close()
            raise

    def __enter__(self) -> RunningTwinshop:
        return self

    def __exit__(self, *_error: object) -> None:
        self.end()

    def opened(self, kind: type[T], within_s: float) -> T:
        """What it says when it is ready.

        Raises:
            NotReadyInTime: it did not say it in time, or ended.
        """
        until = time.monotonic() + within_s
        while True:
            # Asked before its words are read: it may speak and end in between.
            ended = self._child.exit_code is not None
            with suppress(OSError, msgspec.DecodeError):  # not yet, or not yet all of it
                return msgspec.json.decode(self._said.read_bytes(), type=kind)
            if ended or time.monotonic() > until:
                raise NotReadyInTime(
                    f"twinshop {' '.join(self._words)} was not ready within {within_s:g} s",
                    log=self._log,
                    tail=self._log.read_text(errors="replace")[-2000:],
                )
            time.sleep(LOOK_S)

    def end(self) -> int | None:
        """Ctrl-C, and its exit code; None if it had to be killed. Safe to repeat."""
        with suppress(ProcessLookupError):
            if self._child.exit_code is None:
                os.kill(self._child.pid, signal.SIGINT)
        code = self._child.wait(END_WITHIN_S)
        if self._child.alive():
            self._child.kill()  # what it started is in ledgers of its own: the next run clears it away
            self._child.gone(1.0)
        self._ledger.close()
        return code


def _program(words: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "loadtests.cli", *words]
