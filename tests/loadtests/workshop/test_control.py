"""The control socket: who may say what to a workshop, and what becomes of those who say nonsense."""

from __future__ import annotations

import pickle
import socket
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Client, Connection, answer_challenge, deliver_challenge
from pathlib import Path

import msgspec
import pytest

from loadtests.workshop import control
from loadtests.workshop.contract import Begin, Break, Close, Command, CommandReply, EndWorkshop, Heal, Release
from loadtests.workshop.control import ControlAddress, ControlServer, ask, read_address
from loadtests.workshop.dashboard_assignment import write_for_owner
from shared.errors import EnvironmentNotReady, UsageError

KEY = "a key that nobody guesses"
COMMANDS: list[Command] = [
    Begin("kill-one"), Release(), Break("kill", ("left", "right"), "n2"), Heal(3), Heal(), Close(), EndWorkshop(),
]  # fmt: skip


@contextmanager
def listening(handle: Callable[[Command], CommandReply]) -> Iterator[ControlServer]:
    with tempfile.TemporaryDirectory() as folder:  # its name is short enough for a socket
        server = ControlServer(Path(folder) / "control", KEY, handle)
        try:
            yield server
        finally:
            server.close()


def yes(command: Command) -> CommandReply:
    return CommandReply(True, type(command).__name__)


@contextmanager
def let_in(server: ControlServer) -> Iterator[Connection]:
    with Client(server.address, family="AF_UNIX") as connection:
        answer_challenge(connection, KEY.encode())
        deliver_challenge(connection, KEY.encode())
        yield connection


def told(server: ControlServer, message: bytes) -> CommandReply:
    with let_in(server) as connection:
        connection.send_bytes(message)
        return msgspec.json.decode(connection.recv_bytes(), type=CommandReply)


@pytest.mark.parametrize("command", COMMANDS, ids=repr)
def test_a_command_arrives_as_it_was_sent(command: Command) -> None:
    heard: list[Command] = []

    def hear(said: Command) -> CommandReply:
        heard.append(said)
        return CommandReply(True, "done", "go on")

    with listening(hear) as server:
        assert ask(server.address, KEY, command) == CommandReply(True, "done", "go on")
    assert heard == [command]


def test_only_the_owner_may_open_it() -> None:
    with listening(yes) as server:
        assert stat.S_IMODE(Path(server.address).stat().st_mode) == 0o600


def test_nothing_is_left_of_it() -> None:
    with listening(yes) as server:
        path = Path(server.address)
    assert not path.exists()


def test_closing_twice_is_no_error() -> None:
    with listening(yes) as server:
        server.close()


def test_without_the_key_nothing_is_heard() -> None:
    heard: list[Command] = []
    with listening(lambda said: heard.append(said) or CommandReply(True)) as server:  # type: ignore[func-returns-value]
        with pytest.raises(EnvironmentNotReady, match="does not answer"):
            ask(server.address, "another key", EndWorkshop())
        assert ask(server.address, KEY, Close()).ok
    assert heard == [Close()]


@pytest.mark.parametrize(
    "message",
    [
        b"", b"hello", b"\xff\xfe", b"[]", b"{}", b'{"do":"format"}', b'{"do":"break"}', b'{"do":"heal","fault":"all"}',
        b'{"do":"break","kind":"kill","sides":["middle"]}', pickle.dumps(EndWorkshop()),
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_command_gets_a_reply_that_says_why(message: bytes) -> None:
    with listening(yes) as server:
        reply = told(server, message)
        assert not reply.ok
        assert "this is not a command" in reply.why
        assert ask(server.address, KEY, EndWorkshop()).ok


def test_too_many_bytes_are_not_read() -> None:
    with listening(yes) as server:
        with pytest.raises((OSError, EOFError)):
            told(server, b" " * (control.MOST_BYTES + 1))
        assert ask(server.address, KEY, EndWorkshop()).ok


def test_whoever_says_nothing_is_left_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "READ_WITHIN_S", 0.1)
    with listening(yes) as server, socket.socket(socket.AF_UNIX) as silent:
        silent.settimeout(5)
        silent.connect(server.address)
        while silent.recv(1024):
            pass  # the challenge, and then the end of it
        assert ask(server.address, KEY, EndWorkshop()).ok


def test_more_than_it_serves_at_once_wait_for_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "READ_WITHIN_S", 5.0)
    replies: list[CommandReply] = []
    with listening(yes) as server:
        asking = [
            threading.Thread(target=lambda: replies.append(ask(server.address, KEY, EndWorkshop())))
            for _ in range(3 * control.MOST_AT_ONCE)
        ]
        for each in asking:
            each.start()
        for each in asking:
            each.join(30)
    assert replies == [CommandReply(True, "EndWorkshop")] * len(asking)


def test_what_goes_wrong_in_obeying_is_told() -> None:
    def refuse(command: Command) -> CommandReply:
        if isinstance(command, EndWorkshop):
            raise ZeroDivisionError("by zero")
        raise UsageError("it cannot be done", why="it is late", next_step="come tomorrow")

    with listening(refuse) as server:
        assert ask(server.address, KEY, Close()) == CommandReply(
            False, "it cannot be done: it is late", "come tomorrow"
        )
        assert ask(server.address, KEY, EndWorkshop()).why == "internal error: ZeroDivisionError: by zero"


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentNotReady) as raised:
        ask(str(tmp_path / "none"), KEY, EndWorkshop())
    assert "twinshop recover" in raised.value.next_step


def test_one_who_listens_and_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "READ_WITHIN_S", 0.1)
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as deaf:
        address = str(Path(folder) / "control")
        deaf.bind(address)
        deaf.listen()
        with pytest.raises(EnvironmentNotReady) as raised:
            ask(address, KEY, EndWorkshop())
    assert "no answer within 0.1 s" in raised.value.why


def test_a_path_that_is_too_long_for_a_socket(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentNotReady) as raised:
        ControlServer(tmp_path / ("long" * 40), KEY, yes)
    assert "TMPDIR" in raised.value.next_step


def test_how_a_workshop_is_found(tmp_path: Path) -> None:
    path = tmp_path / "control.json"
    assert read_address(path) is None
    address = ControlAddress("/tmp/socket", KEY, "/tmp/workshop.json")
    write_for_owner(path, address)
    assert read_address(path) == address
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_bytes(b"{")
    assert read_address(path) is None
