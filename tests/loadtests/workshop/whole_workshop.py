"""A whole workshop as a teacher starts it: a program of its own, real clusters, told what to do over its socket."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from loadtests.model.events import FaultEvent, read_events
from loadtests.model.results import Results
from loadtests.model.run_folder import RunFolder
from loadtests.workshop.contract import Command, CommandReply, Phase, Round, Workshop
from loadtests.workshop.control import ask
from loadtests.workshop.host import running_workshop
from tests.loadtests.command import start
from tests.waiting import until

SHOPPERS = 6
STARTS_WITHIN_S = 60.0


class WholeWorkshop:
    """One that runs."""

    def __init__(self, folder: Path, process: subprocess.Popen[str]) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.process = process
        assert process.stdout is not None
        lines = []
        while not lines or lines[-1].rstrip() != "}":
            line = process.stdout.readline()
            assert line, f"it ended: {self.end()}"
            lines.append(line)
        self.opened: dict[str, Any] = json.loads("".join(lines))
        address = running_workshop(self.state)
        assert address is not None
        self.address = address

    def tell(self, command: Command) -> CommandReply:
        return ask(self.address.socket, self.address.key, command)

    def do(self, command: Command) -> None:
        reply = self.tell(command)
        assert reply.ok, reply

    @property
    def round(self) -> Round:
        return msgspec.json.decode(Path(self.address.workshop).read_bytes(), type=Workshop).round

    @property
    def run(self) -> RunFolder:
        return RunFolder(Path(self.round.folder))

    def reaches(self, phase: Phase, number: int = 1) -> None:
        def there() -> bool:
            now = self.round
            return now.number == number and now.phase in (phase, "failed")

        assert until(there, STARTS_WITHIN_S), self.round
        assert self.round.phase == phase, self.round.why

    def reaches_failed(self, number: int = 1) -> None:
        assert until(lambda: (self.round.number, self.round.phase) == (number, "failed"), STARTS_WITHIN_S), self.round

    def sees(self, phase: str, times: int) -> None:
        """Until the events tell so often of a step of a fault."""
        assert until(lambda: self._steps().count(phase) >= times, 30.0), self._steps()

    def _steps(self) -> list[str]:
        whole = self.run.events.read_bytes().rpartition(b"\n")[0]
        return [json.loads(line).get("phase", "") for line in whole.splitlines()] if whole else []

    def logged_out(self, architecture: str) -> int:
        """As the load process counts them."""
        lines = (self.run.logs(architecture) / "progress-0.ndjson").read_bytes().splitlines()
        return int(json.loads(lines[-1])["logged_out"]) if lines else 0

    def results(self) -> Results:
        return msgspec.json.decode(self.run.results.read_bytes(), type=Results)

    def fault_steps(self, architecture: str) -> list[str]:
        return [
            event.phase
            for event in read_events(self.run.events)
            if isinstance(event, FaultEvent) and event.architecture == architecture
        ]

    def end(self, timeout: float = 30.0) -> tuple[int, str]:
        """Its exit code, and what it said."""
        _, said = self.process.communicate(timeout=timeout)
        return self.process.returncode, said


@contextmanager
def whole_workshop(folder: Path, *options: str) -> Iterator[WholeWorkshop]:
    process = start(folder, "workshop", "--json", "--no-open", "--shoppers", str(SHOPPERS), *options)
    try:
        yield WholeWorkshop(folder, process)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
