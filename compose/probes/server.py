"""Ask a Redis-compatible server (the session store, its replica, its sentinel) one question, from outside, bounded."""

from __future__ import annotations

import socket
import time

from compose.probes.http import Unanswered, in_a_word

_PIECE = 65_536


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
    kind, words = first[:1], first[1:].decode(errors="replace")
    if kind in (b"+", b":"):
        return words
    if kind == b"-":
        raise Unanswered(words)
    if kind != b"$" or int(words) < 0:
        raise Unanswered(f"an answer of another kind: {first!r}")
    return rest[: int(words)].decode(errors="replace") if len(rest) >= int(words) + 2 else None


def facts(info: str) -> dict[str, str]:
    """An answer to INFO, by name."""
    pairs = (line.partition(":") for line in info.splitlines() if not line.startswith("#"))
    return {name: value for name, colon, value in pairs if colon}
