"""Ask one of our own servers one question, from outside, within a bound."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec


class Unanswered(Exception):
    """No answer came; `reason` says why in a word: refused, timeout, reset, …"""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Answer(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


def ask(
    url: str, *, headers: Mapping[str, str] | None = None, within_s: float = 0.3, put: bytes | None = None
) -> Answer:
    """GET that URL, or PUT that JSON there. The bound holds for connecting and for each read.

    Raises:
        Unanswered: refused, timeout, reset, or not HTTP.
    """
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=within_s)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    sent = dict(headers or {}) | ({} if put is None else {"Content-Type": "application/json"})
    try:
        connection.request("GET" if put is None else "PUT", path, body=put, headers=sent)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise Unanswered(in_a_word(error)) from error
    finally:
        connection.close()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)


def in_a_word(error: Exception) -> str:
    """Why no answer came."""
    match error:
        case ConnectionRefusedError():
            return "refused"
        case TimeoutError():
            return "timeout"
        case ConnectionResetError() | http.client.RemoteDisconnected():
            return "reset"
        case _:
            return type(error).__name__
