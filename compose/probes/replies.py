"""Ask a part one question and put what came of it into words, for an evidence."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import urlsplit

from compose.changes import Reply
from compose.probes.http import Unanswered, ask
from compose.probes.server import ask_server

WITHIN_S = 2.8
"""Below the 3 s that may pass in all."""


def ask_page(url: str, path: str, request: str) -> Reply:
    """GET a page of a node, under that request id; ok if it answers 200."""

    def question() -> tuple[bool, str, int]:
        headers = {"X-Request-Id": request, "Accept": "application/json"}
        status = ask(f"{url}{path}", headers=headers, within_s=WITHIN_S).status
        return status == 200, str(status), status

    return _timed(f"GET {path}", question)


def ping(url: str) -> Reply:
    """PING the server at that address; ok if it answers PONG."""
    parts = urlsplit(url)

    def question() -> tuple[bool, str, int]:
        said = ask_server(parts.hostname or "", parts.port or 0, "PING", within_s=WITHIN_S)
        return said == "PONG", said, 0

    return _timed("PING", question)


def _timed(asked: str, question: Callable[[], tuple[bool, str, int]]) -> Reply:
    began = time.monotonic()
    try:
        ok, words, status = question()
    except Unanswered as silence:
        ok, words, status = False, silence.reason, 0
    took_ms = (time.monotonic() - began) * 1000
    return Reply(ok, took_ms, f"{asked}: {words} after {took_ms:.0f} ms", status)
