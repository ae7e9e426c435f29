"""A visit: one request at this node, from the moment it comes in until its answer leaves.

`Stamp` wraps the whole shop, sessions included, so that its word is the last: the status that it logs is the one that
the client gets, also when saving the session failed.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Literal

from flask import Request, request
from werkzeug.http import parse_cookie

from shared.request_log import LoggedRequest, LoggedSession, LogRecord, RequestLog
from shared.sessions import fingerprint

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from shared.shop.tally import RequestTally

_VISIT = "twinshop.visit"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LONGEST_PATH = 200
_QUIET = frozenset({"/healthz", "/metrics"})
_PROBE = "probe-"
"""How the id of a request begins by which the harness looks at a node: answered like any other, and not logged."""


@dataclass(slots=True)
class Visit:
    """What the log will say of a request; the shop fills in what it finds out."""

    id: str
    user: str = ""
    quiet: bool = False
    """`is_quiet` of its path."""
    asked: Request | None = None
    """Where Flask notes which route it is; given back when the answer leaves, lest the two keep each other alive."""
    event: tuple[Literal["opened", "ended"], str, str] | None = None
    """What happened to the session, whose it is, and its fingerprint."""
    wrong_password: bool = False
    too_large: bool = False
    """Its body is: it is refused before anybody asks who sent it."""
    outage: bool = False
    """The session store could not be reached: there is no session to save."""
    done_in_spite: bool = False
    """All was done and saved, although the answer says that it was not."""
    alone: ExitStack | None = None
    """Keeps others from writing the same cart; closed after the session was saved."""
    streams: bool = False
    """The answer has no end yet: it is handed on piece by piece, and logged when it begins."""


def current_visit() -> Visit:
    """The visit that is being answered."""
    return visit_of(request.environ)


def visit_of(environ: WSGIEnvironment) -> Visit:
    """The visit that this request is."""
    visit: Visit = environ[_VISIT]
    return visit


def is_quiet(path: str) -> bool:
    """Whether a path is for machines that watch the node: never logged, never with a session, never in trouble."""
    return path in _QUIET or path.startswith("/-/")


class Desks:
    """At so many desks the shop answers; who comes when all are taken waits.

    The node has more threads than that, for what only waits. Health checks and control pages need no desk: they say
    whether the node is alive, and not how busy it is.
    """

    def __init__(self, shop: WSGIApplication, desks: int) -> None:
        self._shop = shop
        self._free: SimpleQueue[None] = SimpleQueue()  # a semaphore at a tenth of the cost of one
        for _ in range(desks):
            self._free.put(None)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        visit: Visit = environ[_VISIT]
        if visit.quiet:
            return self._shop(environ, start_response)
        self._free.get()
        try:
            return self._shop(environ, start_response)
        finally:
            self._free.put(None)


class Stamp:
    """Puts the node's name and the request's id on every answer, and writes the request log."""

    def __init__(
        self, shop: WSGIApplication, *, node: str, run: str, boot: str, cookie: str, tally: RequestTally,
        log: RequestLog | None,
    ) -> None:  # fmt: skip
        self._shop = shop
        self._tally = tally
        self._node = node
        self._boot = boot
        self._cookie = cookie
        self._log = log
        self._marks = [("X-Node", node), ("X-Run", run), ("X-Content-Type-Options", "nosniff")]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        at_us, started = time.time_ns() // 1000, time.perf_counter_ns()
        path = environ.get("PATH_INFO", "")
        visit = environ[_VISIT] = Visit(_request_id(environ.get("HTTP_X_REQUEST_ID", "")), quiet=is_quiet(path))
        status = 0

        def start(line: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            nonlocal status
            status = int(line[:3])
            if not path.startswith("/static/"):  # pictures may be kept: their address changes with what is in them
                headers = [header for header in headers if header[0].lower() != "cache-control"]
                headers.append(("Cache-Control", "no-store"))
            return start_response(line, [*headers, *self._marks, ("X-Request-Id", visit.id)], exc_info)

        body = self._shop(environ, start)
        if visit.streams:
            self._note(environ, visit, status, at_us, started)
            return body
        try:
            # All of it before the first byte leaves: the log has to be written before anybody is answered.
            chunks = list(body)
        finally:
            if hasattr(body, "close"):
                body.close()
        self._note(environ, visit, status, at_us, started)
        return chunks

    def _note(self, environ: WSGIEnvironment, visit: Visit, status: int, at_us: int, started: int) -> None:
        """Into the tally and the log, before the answer leaves."""
        asked, visit.asked = visit.asked, None
        if visit.quiet or visit.id.startswith(_PROBE):
            return
        rule = asked.url_rule if asked is not None else None
        took_us = (time.perf_counter_ns() - started) // 1000
        method = environ["REQUEST_METHOD"]
        self._tally.count(method, rule.rule if rule is not None else "(none)", status, took_us)
        if self._log is None:
            return
        path = environ.get("PATH_INFO", "")[:_LONGEST_PATH]
        # Only of strangers: whoever is known stands in the log by name, and parsing cookies costs each request.
        brought = "" if visit.user or path.startswith("/static/") else self._session_brought(environ)
        line = LoggedRequest(
            at_us, visit.id, self._node, self._boot, method, path, status, took_us, visit.user, brought
        )  # fmt: skip
        self._log.write(*self._session_event(visit, status), line)

    def _session_brought(self, environ: WSGIEnvironment) -> str:
        """The fingerprint of a session that the client has a cookie of, whoever opened it; "" without."""
        brought = parse_cookie(environ).get(self._cookie, "") if environ.get("HTTP_COOKIE") else ""
        return fingerprint(brought) if brought else ""

    def _session_event(self, visit: Visit, status: int) -> tuple[LogRecord, ...]:
        # After a 5xx nothing counts as opened or ended: it is what a session that could not be saved ends in.
        if visit.event is None or (status >= 500 and not visit.done_in_spite):
            return ()
        event, user, session = visit.event
        now_us = time.time_ns() // 1000
        return (LoggedSession(now_us, event, visit.id, self._node, self._boot, user, session),)


def _request_id(asked: str) -> str:
    """The caller's id if it is one that can be logged and echoed without thinking, else a new one."""
    return asked if _REQUEST_ID.fullmatch(asked) else uuid.uuid4().hex
