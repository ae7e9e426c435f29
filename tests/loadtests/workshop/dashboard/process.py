"""A dashboard in a process of its own, asked over real sockets."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loadtests.workshop.dashboard_assignment import DashboardAssignment, read_ready, write_for_owner
from tests.loadtests.workshop.dashboard.reader import Reader
from tests.waiting import until

TOKEN = "an-instructors-token-of-much-chance"
SCRIPTED = "tests.loadtests.workshop.dashboard.scripted"
REAL = "loadtests.workshop.dashboard"
READY_WITHIN_S = 60.0


class Dashboard:
    """One that listens."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self.log = log

    def ask(self, path: str, *, method: str = "GET", body: bytes = b"", cookie: str = "", **headers: str) -> Answer:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            sent = {"Cookie": cookie, **{name.replace("_", "-"): value for name, value in headers.items()}}
            connection.request(method, path, body or None, sent)
            got = connection.getresponse()
            return Answer(got.status, dict(got.getheaders()), got.read())
        finally:
            connection.close()

    def watch(self, last_id: int | None = None, cookie: str = "") -> Watch:
        """Open a stream."""
        return Watch(self.port, last_id, cookie)


class Answer:
    """What was answered."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class Watch:
    """An open stream; `status` is what it was answered."""

    def __init__(self, port: int, last_id: int | None, cookie: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        seen = {} if last_id is None else {"Last-Event-ID": str(last_id)}
        self._connection.request("GET", "/events", headers={"Cookie": cookie, **seen})
        self._socket = self._connection.sock
        self.answer = self._connection.getresponse()
        self.status = self.answer.status

    def read(self, reader: Reader, events: int) -> None:
        """Read until so many more events have come."""
        enough = len(reader.names) + events
        while len(reader.names) < enough:
            piece = self.answer.read1(65536)
            assert piece, "the stream has ended"
            reader.feed(piece)

    def ended(self, within_s: float) -> bool:
        """Read on until the other side has hung up."""
        self._socket.settimeout(within_s)
        try:
            while self._socket.recv(2**20):
                pass
        except ConnectionError:
            pass
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        """Hang up."""
        self.answer.close()
        self._connection.close()


def small_buffer(port: int, cookie: str = "") -> socket.socket:
    """Somebody who asks for the stream and then does not read."""
    lazy = socket.socket()
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    lazy.connect(("127.0.0.1", port))
    lazy.sendall(f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n".encode())
    return lazy


@contextmanager
def dashboard(
    folder: Path, module: str = SCRIPTED, *, ready_within_s: float = READY_WITHIN_S, **told: object
) -> Iterator[Dashboard]:
    """One that is ended, politely, at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    ready, log = folder / "ready.json", folder / "dashboard.log"
    ready.unlink(missing_ok=True)
    assignment = DashboardAssignment(str(folder / "workshop.json"), str(ready), TOKEN, **told)  # type: ignore[arg-type]
    write_for_owner(folder / "dashboard.json", assignment)
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", module, str(folder / "dashboard.json")], stdout=out, stderr=out, env={**os.environ}
        )
    try:
        assert until(lambda: ready.is_file() or process.poll() is not None, ready_within_s), log.read_text()
        said = read_ready(ready)
        assert said is not None, log.read_text()
        yield Dashboard(process, said.port, log)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
