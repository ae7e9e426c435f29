"""Ask one of our own servers (HTTP, or a Redis-compatible one) one question, from outside, within a bound."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

_PIECE = 65_536


class Unanswered(Exception):
    """No answer came; `reason` says why in a word: refused, timeout, reset, …"""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class HttpAnswer(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


def ask(
    url: str, *, headers: Mapping[str, str] | None = None, within_s: float = 0.3, put: bytes | None = None,
    method: str = "",
) -> HttpAnswer:  # fmt: skip
    """GET that URL, or PUT that JSON there, or send nothing by another `method`.

    The bound holds for connecting and for each read.

    Raises:
        Unanswered: refused, timeout, reset, or not HTTP.
    """
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=within_s)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    sent = dict(headers or {}) | ({} if put is None else {"Content-Type": "application/json"})
    try:
        connection.request(method or ("GET" if put is None else "PUT"), path, body=put, headers=sent)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise Unanswered(in_a_word(error)) from error
    finally:
        connection.close()
    return HttpAnswer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)


def in_a_word(error: Exception) -> str:
    """Why no answer came."""
    match error:
        case ConnectionRefusedError():
            return "refused"
        case TimeoutError():
            return "timeout"
        case ConnectionResetError():  # http.client's RemoteDisconnected is one, too
            return "reset"
        case _:
            return type(error).__name__


def ask_server(host: str, port: int, command: str, *, within_s: float) -> str:
    """What it answers to that command of a line ("PING", "INFO server"): a status, a number or a text.

    The bound is for all of it.

    Raises:
        Unanswered: refused, timeout, reset, or the error that the server answered with.
    """
    deadline = time.monotonic() + within_s
    try:
        with socket.create_connection((host, port), timeout=within_s) as connection:
            connection.sendall(command.encode() + b"\r\n")
            answer = b""
            while (said := _whole(answer)) is None:
                # At each read, or a server that sends a byte now and then would hold us; 0 would mean: do not wait.
                connection.settimeout(max(deadline - time.monotonic(), 0.001))
                piece = connection.recv(_PIECE)
                if not piece:
                    raise Unanswered("reset")
                answer += piece
    except OSError as error:
        raise Unanswered(in_a_word(error)) from error
    return said


def _whole(answer: bytes) -> str | None:
    """The answer without its wrapping; None while there is more to come.

    Raises:
        Unanswered: it is an error, or none of the kinds we ask for.
    """
    first, ended, rest = answer.partition(b"\r\n")
    if not ended:
        return None
    # RESP: the first byte names the kind: + a status, : a number, - an error, $ a text, after its length in bytes.
    kind, words = first[:1], first[1:].decode(errors="replace")
    if kind in (b"+", b":"):
        return words
    if kind == b"-":
        raise Unanswered(words)
    if kind != b"$" or int(words) < 0:  # a length of -1 stands for nothing
        raise Unanswered(f"an answer of another kind: {first!r}")
    # Two more: the text ends with a line break of its own.
    return rest[: int(words)].decode(errors="replace") if len(rest) >= int(words) + 2 else None


def facts(info: str) -> dict[str, str]:
    """An answer to INFO, by name."""
    pairs = (line.partition(":") for line in info.splitlines() if not line.startswith("#"))
    return {name: value for name, colon, value in pairs if colon}
