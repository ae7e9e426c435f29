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
from queue import Empty, Queue
from threading import Thread
from typing import IO, TypeVar

import msgspec

from shared.errors import NotReadyInTime

T = TypeVar("T")

ROOT = Path(__file__).parents[3]
COMMAND_WITHIN_S = 60.0
END_WITHIN_S = 40.0


class Done(msgspec.Struct, frozen=True):
    """A command that has ended."""

    code: int
    said: str
    complained: str


def run(words: Sequence[str], folder: Path) -> Done:
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
        done = subprocess.run(
            command, cwd=place, env=_environment(), capture_output=True, text=True, check=False,
            timeout=COMMAND_WITHIN_S, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise NotReadyInTime(f"{' '.join(words)} did not end within {COMMAND_WITHIN_S:g} s") from error
    return Done(done.returncode, done.stdout, done.stderr)


class Running:
    """A `twinshop` that stays: it says one JSON document when it is ready, and Ctrl-C ends it. Use it as a context."""

    def __init__(self, words: Sequence[str], folder: Path, log: Path) -> None:
        self._words = tuple(words)
        self._log = log
        with log.open("wb") as complaints:
            self._process = subprocess.Popen(
                _program(words), cwd=folder, env=_environment(), stdout=subprocess.PIPE, stderr=complaints,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        assert self._process.stdout is not None
        self._lines: Queue[bytes] = Queue()
        self._reader = Thread(target=_read, args=(self._process.stdout, self._lines), daemon=True)
        self._reader.start()

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_error: object) -> None:
        self.end()

    def opened(self, kind: type[T], within_s: float) -> T:
        """What it says when it is ready.

        Raises:
            NotReadyInTime: it did not say it in time, or ended.
        """
        said = b""
        until = time.monotonic() + within_s
        while line := self._line(until - time.monotonic()):
            said += line
            with suppress(msgspec.DecodeError):  # there is more to come
                return msgspec.json.decode(said, type=kind)
        raise NotReadyInTime(
            f"twinshop {' '.join(self._words)} was not ready within {within_s:g} s",
            log=self._log,
            tail=self._log.read_text(errors="replace")[-2000:],
        )

    def _line(self, within_s: float) -> bytes:
        """The next line; empty if there is none in time, or none any more."""
        try:
            return self._lines.get(timeout=max(0.0, within_s))
        except Empty:
            return b""

    def end(self) -> int:
        """Ctrl-C, and its exit code; killed if it does not end in time."""
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGINT)
        try:
            code = self._process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()  # what it started is in the ledger: the next run, or `recover`, clears it away
            code = self._process.wait()
        self._reader.join(END_WITHIN_S)
        if self._process.stdout is not None:
            self._process.stdout.close()
        return code


def _program(words: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "loadtests.cli", *words]


def _environment() -> dict[str, str]:
    return {**os.environ, "NO_COLOR": "1"}


def _read(pipe: IO[bytes], lines: Queue[bytes]) -> None:
    for line in pipe:
        lines.put(line)
    lines.put(b"")
