"""What is watched: a real workshop with shoppers in both shops, or a made-up dashboard without any shop."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import psutil

from loadtests.model.history import Exchange
from loadtests.workshop.contract import Round, Workshop
from loadtests.workshop.dashboard_assignment import read_ready
from tests.loadtests.workshop.dashboard.process import dashboard
from tests.loadtests.workshop.dashboard.scripted import a_round, a_workshop, write_workshop

OPEN_WITHIN_S = 60.0
WARM_S = 3
"""People log in first."""


class Watched:
    """A dashboard, and the history of the shoppers that it shows."""

    def __init__(self, port: int, pid: int, epoch_us: int, folder: Path | None = None) -> None:
        self.port = port
        self._process = psutil.Process(pid)
        self.epoch_us = epoch_us
        self._folder = folder

    def cookies(self, count: int) -> list[str]:
        """So many people's."""
        return [self._get("/api/me")[1].split(";")[0] for _ in range(count)]

    def cpu_s(self) -> float:
        """Processor time that the dashboard's process has used."""
        used = self._process.cpu_times()
        return float(used.user + used.system)

    def last_id(self) -> int:
        """Of the newest frame there is."""
        frames = msgspec.json.decode(self._get("/api/frames")[0])
        return int(frames[-1]["id"]) if frames else 0

    def exchanges(self) -> dict[str, list[Exchange]]:
        """Answered planned actions by architecture."""
        found: dict[str, list[Exchange]] = {}
        for file in self._histories():
            for line in file.read_bytes().splitlines():
                record = _read(line)
                if record is not None and record.why == "plan" and record.outcome == "ok" and record.sent_us >= 0:
                    found.setdefault(record.architecture, []).append(record)
        return found

    def _histories(self) -> list[Path]:
        """Of a round that has come to its end meanwhile they are one file."""
        if self._folder is None:
            return []
        return sorted(self._folder.glob("logs/*/history-*.ndjson")) or [self._folder / "history.ndjson"]

    def _get(self, path: str) -> tuple[bytes, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.read(), answer.getheader("Set-Cookie") or ""
        finally:
            connection.close()


def _read(line: bytes) -> Exchange | None:
    """A line of a file that still grows: the last one may be cut off."""
    try:
        return msgspec.json.decode(line, type=Exchange)
    except msgspec.DecodeError:
        return None


@contextmanager
def made_up(place: Path) -> Iterator[Watched]:
    """A picture in which something changes four times a second, and nothing is behind it."""
    (place / "run").mkdir()
    said = a_round(place / "run", "open", episode="")
    write_workshop(place / "workshop.json", a_workshop(said))
    with dashboard(place) as it:
        yield Watched(it.port, it.process.pid, said.epoch_us)


@contextmanager
def real(place: Path, shoppers: int) -> Iterator[Watched]:
    """`twinshop workshop` in free play: two clusters, shoppers, the dashboard; with a state of its own."""
    command = [
        sys.executable, "-m", "loadtests.cli", "workshop", "--json", "--no-open", "-q", "--runs", str(place / "runs"),
        "--shoppers", str(shoppers),
    ]  # fmt: skip
    env = {**os.environ, "TWINSHOP_STATE": str(place / "state")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=env) as process:
        try:
            opened = _opened(process)
            said = _shopping(Path(opened["workshop"]), process)
            ready = read_ready(Path(opened["workshop"]).with_name("ready.json"))
            assert ready is not None
            yield Watched(ready.port, ready.pid, said.epoch_us, Path(said.folder))
        finally:
            process.send_signal(signal.SIGINT)


def _opened(process: subprocess.Popen[bytes]) -> dict[str, str]:
    """What it announces, once its dashboard answers."""
    assert process.stdout is not None
    text = b""
    while line := process.stdout.readline():
        text += line
        with suppress(msgspec.DecodeError):
            return msgspec.json.decode(text, type=dict[str, str])
    raise SystemExit(f"the workshop did not open: {text!r}")


def _shopping(workshop: Path, process: subprocess.Popen[bytes]) -> Round:
    """The round, once people shop in it."""
    deadline = time.monotonic() + OPEN_WITHIN_S
    while process.poll() is None and time.monotonic() < deadline:
        said = msgspec.json.decode(workshop.read_bytes(), type=Workshop).round
        if said.phase == "open" and 0 < said.epoch_us < time.time_ns() // 1000 - WARM_S * 1_000_000:
            return said
        time.sleep(0.1)
    raise SystemExit("nobody shops in the workshop")
