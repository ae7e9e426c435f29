"""The control socket: a workshop is asked for something, and answers at once. One command, one reply, both JSON.

    dashboard, `twinshop goto`, `twinshop rehearse` ── `Command` ──> harness ── `CommandReply` ──> the same

It is a Unix socket that only its owner may open, and whoever connects must prove that they know the key. Nothing is
ever unpickled. Every read is bounded, in time and in bytes, and so is the number of connections: what is hostile or
broken costs a thread for a moment, gets a reply that says why, and changes nothing.
"""

import os
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener, answer_challenge, deliver_challenge
from pathlib import Path

import msgspec

from loadtests.workshop.contract import Command, CommandReply
from shared.errors import EnvironmentNotReady, TwinshopError

MOST_BYTES = 16_384  # of a command, and of a reply
READ_WITHIN_S = 2.0  # for each thing that the other side says
MOST_AT_ONCE = 16  # connections that are served at a time; more wait

Handle = Callable[[Command], CommandReply]
"""What a workshop does when it is told something."""

_encode = msgspec.json.Encoder().encode
_decode_command = msgspec.json.Decoder(Command).decode
_decode_reply = msgspec.json.Decoder(CommandReply).decode


class ControlAddress(msgspec.Struct, frozen=True):
    """How a running workshop is found by others of its owner: the content of a file of mode 0600."""

    socket: str
    key: str
    workshop: str
    """Its `workshop.json`."""


_decode_control_address = msgspec.json.Decoder(ControlAddress).decode


def read_address(path: Path) -> ControlAddress | None:
    """The workshop that is found there; None if there is none."""
    try:
        return _decode_control_address(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return None


class ControlServer:
    """Listens until it is closed; `handle` is called in a thread of its own for each command."""

    def __init__(self, path: Path, key: str, handle: Handle) -> None:
        self.address = str(path)
        self._key = key.encode()
        self._handle = handle
        self._room = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._closed = threading.Event()
        try:
            self._listener = Listener(self.address, family="AF_UNIX", backlog=MOST_AT_ONCE)
            path.chmod(0o600)  # its folder is the ledger's, mode 0700: in between nobody else could have come
        except OSError as error:
            raise EnvironmentNotReady(
                f"cannot listen for commands at {path}",
                why=error.strerror or str(error),
                next_step="set TMPDIR to a folder with a shorter name that you may write to",
            ) from error
        self._thread = threading.Thread(target=self._listen, name="control socket", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hear no more commands. Safe to repeat."""
        if self._closed.is_set():
            return
        self._closed.set()
        with suppress(OSError):  # whoever took the socket away has ended the waiting, too
            Client(self.address, family="AF_UNIX").close()  # wakes the thread, which waits for somebody to connect
        self._thread.join(READ_WITHIN_S)
        self._listener.close()

    def _listen(self) -> None:
        while not self._closed.is_set():
            try:
                connection = self._listener.accept()
            except OSError:
                if self._closed.wait(0.05):  # out of open files, say: that passes
                    return
                continue
            self._room.acquire()
            threading.Thread(target=self._serve, args=(connection,), name="a command", daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        try:
            with connection:
                self._answer(connection)
        except (OSError, EOFError, AuthenticationError):
            pass  # it has gone, has no key, or takes too long: nothing to say, and nobody to say it to
        finally:
            self._room.release()

    def _answer(self, connection: Connection) -> None:
        _bound(connection)
        # Both prove the key; `ask` has the other order, or each would take the other's challenge for an answer.
        deliver_challenge(connection, self._key)
        answer_challenge(connection, self._key)
        connection.send_bytes(_encode(self._reply(connection)))

    def _reply(self, connection: Connection) -> CommandReply:
        try:
            command = _decode_command(connection.recv_bytes(MOST_BYTES))  # never `recv`: that unpickles
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return CommandReply(
                False, f"this is not a command: {error}", "send one of loadtests.workshop.contract as JSON"
            )
        try:
            return self._handle(command)
        except TwinshopError as error:
            return CommandReply(False, f"{error.what}: {error.why}" if error.why else error.what, error.next_step)
        except Exception as error:  # noqa: BLE001 - whatever it is, the workshop goes on and whoever asked is told
            return CommandReply(
                False, f"internal error: {type(error).__name__}: {error}", "look at what the workshop prints"
            )


def ask(address: str, key: str, command: Command) -> CommandReply:
    """Tell a running workshop something, and return what it says.

    Raises:
        EnvironmentNotReady: nobody answers there, within `READ_WITHIN_S` for each step, or not with that key.
    """
    secret = key.encode()
    try:
        with Client(address, family="AF_UNIX") as connection:
            _bound(connection)
            answer_challenge(connection, secret)
            deliver_challenge(connection, secret)
            connection.send_bytes(_encode(command))
            return _decode_reply(connection.recv_bytes(MOST_BYTES))
    except (OSError, EOFError, AuthenticationError, msgspec.DecodeError) as error:
        raise EnvironmentNotReady(
            "the workshop does not answer",
            why=f"{address}: {_in_words(error)}",
            next_step="look at the window in which `twinshop workshop` runs; `twinshop recover` clears away a dead one",
        ) from error


def _bound(connection: Connection) -> None:
    seconds = int(READ_WITHIN_S)
    limit = struct.pack("ll", seconds, int((READ_WITHIN_S - seconds) * 1e6))  # a `timeval`
    # By the system and not by a timer: it holds whatever patches threads and sockets in this process. Set through a
    # copy, since the options are the socket's, and closing the copy leaves the connection open.
    with socket.socket(fileno=os.dup(connection.fileno())) as same:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        same.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)


def _in_words(error: Exception) -> str:
    if isinstance(error, BlockingIOError):  # what a read says whose SO_RCVTIMEO is over
        return f"no answer within {READ_WITHIN_S:g} s"
    if isinstance(error, EOFError):
        return "it hung up"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
