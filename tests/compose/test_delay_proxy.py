"""What a wire does to a connection, with a server of a few lines at its far end."""

from __future__ import annotations

import secrets
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import pytest

from compose.probes import report_of_wires
from compose.supervision.child import spawn
from compose.supervision.ledger import Ledger
from compose.supervision.ports import HOST, free_ports
from compose.wires import Link, WireFile
from shared.whole_file import write_whole
from tests.waiting import until

pytestmark = pytest.mark.cluster
SOON_S = 20.0
SILENT_S = 0.15


class Echo:
    """Answers each line with itself."""

    def __init__(self) -> None:
        self.server = socket.create_server((HOST, 0))
        self.port = int(self.server.getsockname()[1])
        self.connections: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._echo, args=(connection,), daemon=True).start()

    def _echo(self, connection: socket.socket) -> None:
        with connection:
            while True:
                try:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    connection.sendall(piece)
                except OSError:
                    return

    def end(self) -> None:
        for one in (self.server, *self.connections):
            with suppress(OSError):  # it is closed already
                one.shutdown(socket.SHUT_RDWR)
        self.server.close()


class Bench:
    """Wires to an echo, told by file as a cluster tells them."""

    def __init__(self, folder: Path) -> None:
        self.echo = Echo()
        self.file = folder / "wires.json"
        self.status, self.port, self.later = free_ports(3)
        self.lines: dict[str, Link] = {}
        self.tell("n1")

    def tell(self, end: str, *, delay_ms: float = 0.0, cut: bool = False, port: int | None = None) -> None:
        self.lines[end] = Link(f"{HOST}:{port or self.port}", f"{HOST}:{self.echo.port}", delay_ms, cut)
        write_whole(self.file, msgspec.json.encode(WireFile(f"{HOST}:{self.status}", self.lines)))

    def told(self, words: str) -> None:
        """Wait until the wires say that they are like that."""
        assert until(lambda: words in report_of_wires(f"tcp://{HOST}:{self.status}").words)

    def connect(self, port: int | None = None) -> socket.socket:
        connection = socket.create_connection((HOST, port or self.port), timeout=SOON_S)
        connection.settimeout(SOON_S)
        return connection


@pytest.fixture
def bench(own_state: Path, tmp_path: Path) -> Iterator[Bench]:
    with wired(own_state, tmp_path) as found:
        yield found


@contextmanager
def wired(state: Path, folder: Path) -> Iterator[Bench]:
    found = Bench(folder)
    with Ledger.open(state, secrets.token_hex(4)) as ledger:
        spawn(
            ledger,
            "wires",
            [sys.executable, "-m", "compose.delay_proxy", str(found.file)],
            env={},
            log=folder / "wires.log",
        )
        found.told("1 wire, none slow or cut")
        yield found
        found.echo.end()


def silent(connection: socket.socket) -> bool:
    """Whether nothing comes for a moment, and the connection stays open."""
    connection.settimeout(SILENT_S)
    try:
        return connection.recv(100) == b"?"
    except TimeoutError:
        return True
    finally:
        connection.settimeout(SOON_S)


def read(connection: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size and (piece := connection.recv(65536)):
        found += piece
    return found


def test_everything_comes_through_whole_and_in_order(bench: Bench) -> None:
    sent = secrets.token_bytes(3_000_000)
    with bench.connect() as one, bench.connect() as other:
        threading.Thread(target=one.sendall, args=(sent,), daemon=True).start()
        other.sendall(b"hello")
        assert read(other, 5) == b"hello"
        assert read(one, len(sent)) == sent


def test_answers_are_late_one_after_the_other_as_they_were_sent(bench: Bench) -> None:
    """A delay is a distance and not a bottleneck: what is sent together arrives together."""
    with bench.connect() as one:
        bench.tell("n1", delay_ms=200)
        bench.told("n1 +200 ms")
        began = time.monotonic()
        for number in range(100):
            one.sendall(b"%02d" % number)
            time.sleep(0.002)  # so that they travel one by one
        assert read(one, 200) == b"".join(b"%02d" % number for number in range(100))
        assert 0.2 <= time.monotonic() - began < 15.0, "one after the other they take 20 s"
        one.sendall(b"slow")
        bench.tell("n1")
        bench.told("none slow or cut")
        one.sendall(b"quick")  # must not overtake
        assert read(one, 9) == b"slowquick"


def test_a_cut_wire_is_silent_and_when_joined_what_was_sent_flows_on(bench: Bench) -> None:
    with bench.connect() as old:
        old.sendall(b"before")
        assert read(old, 6) == b"before"
        bench.tell("n1", cut=True)
        bench.told("n1 cut")
        old.sendall(b"during")
        with bench.connect() as new:
            new.sendall(b"newly")
            assert silent(old)
            assert silent(new)
            bench.tell("n1")
            assert read(old, 6) == b"during"
            assert read(new, 5) == b"newly"


def test_nobody_hears_over_a_cut_wire_that_the_other_side_is_gone(bench: Bench) -> None:
    with bench.connect() as one:
        one.sendall(b"x")
        assert read(one, 1) == b"x"
        bench.tell("n1", cut=True)
        bench.told("n1 cut")
        bench.echo.end()
        assert silent(one)
        bench.tell("n1")
        assert one.recv(10) == b""


def test_a_far_end_that_is_gone_means_closed_connections(bench: Bench) -> None:
    with bench.connect() as one:
        one.sendall(b"x")
        assert read(one, 1) == b"x"
        bench.echo.end()
        assert one.recv(10) == b""
    with bench.connect() as late:
        assert closed(late)


def closed(connection: socket.socket) -> bool:
    """Whether the other side closes it, with or without a reset."""
    try:
        return connection.recv(10) == b""
    except ConnectionResetError:
        return True


def test_a_client_that_goes_is_heard_of_at_the_far_end(bench: Bench) -> None:
    with bench.connect() as one:
        one.sendall(b"last words")
        one.shutdown(socket.SHUT_WR)
        assert read(one, 100) == b"last words"


def test_a_wire_is_added_while_it_runs(bench: Bench) -> None:
    bench.tell("n2", port=bench.later)
    bench.told("2 wires")
    with bench.connect(bench.later) as one:
        one.sendall(b"x")
        assert read(one, 1) == b"x"
