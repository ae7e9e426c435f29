"""Starts runs as processes of their own: one that dies takes nothing with it, and two can use two processors."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import msgspec

from loadtests.campaigns.jobs import Job
from loadtests.campaigns.matrix.one_run import Ending, Order


class Running(Protocol):
    """A run that goes on."""

    job: Job

    def ending(self) -> Ending | None:
        """What came of it; None as long as it goes on."""

    def interrupt(self) -> None:
        """Ask it to end: it stops its cluster and judges what there is."""

    def kill(self) -> None:
        """End it at once; what it started is then for `recover`."""


class Launcher(Protocol):
    """Starts runs."""

    def start(self, job: Job) -> Running:
        """Start one and return at once."""


class Processes:
    """Each run is a child process; what it says on the way goes to `logs/<scenario>.log` in the matrix' folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def start(self, job: Job) -> Child:
        """Start one and return at once."""
        logs = self._folder / "logs"
        logs.mkdir(exist_ok=True)
        return Child(job, self._folder, logs / f"{job.scenario}.log")


class Child:
    """One run in a process of its own."""

    def __init__(self, job: Job, folder: Path, log: Path) -> None:
        self.job = job
        self._log = log
        order = Order(
            job.scenario, job.architectures, job.key.seed, job.key.engine, str(folder.absolute()), os.getpid()
        )
        with log.open("wb") as words:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "loadtests.campaigns.matrix.one_run", msgspec.json.encode(order).decode()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=words,
            )

    def ending(self) -> Ending | None:
        """What came of it; None as long as it goes on."""
        if self._process.poll() is None:
            return None
        said, _ = self._process.communicate()
        try:
            return msgspec.json.decode(said, type=Ending)
        except msgspec.DecodeError:
            return Ending(error=f"its process ended with {self._process.returncode}: see logs/{self._log.name}")

    def interrupt(self) -> None:
        """SIGINT: the first one is heard, later ones are ignored."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL, and wait for it."""
        self._process.kill()
        self._process.communicate()
