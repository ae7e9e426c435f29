"""What stands around Flask in a node.

From the inside: `Desks` (who waits), `InjectionMiddleware` (what goes wrong on purpose), `Stamp` (what is told of it).
`Stamp` wraps the whole shop, sessions included, so that its word is the last: the status that it logs is the one that
the client gets, also when saving the session failed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from time import sleep
from typing import TYPE_CHECKING, Any

from werkzeug.http import parse_cookie

from shared.request_log import LoggedRequest, LoggedSession, LogRecord, RequestLog
from shared.sessions import Injection, fingerprint
from shared.shop.metrics import RequestTally
from shared.shop.request_notes import RequestNotes, begin_notes, notes_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_LONGEST_PATH = 200
_ERROR = b'{"error":"sick","message":"this node was told to answer with errors"}'
_PROBE = "probe-"
"""How the id of a request begins by which the harness looks at a node: answered like any other, and not logged."""


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
        if notes_of(environ).quiet:
            return self._shop(environ, start_response)
        self._free.get()
        try:
            return self._shop(environ, start_response)
        finally:
            self._free.put(None)


class NodeInjection:
    """What is injected into this node right now: replaced as a whole, so that any thread may read it at any time."""

    def __init__(self) -> None:
        self.now = Injection()

    def clock_us(self) -> int:
        """The wall clock as sessions read it: microseconds since 1970."""
        return time.time_ns() // 1000 + self.now.clock_ahead_s * 1_000_000


class InjectionMiddleware:
    """Stands around the shop and makes its answers late or wrong, as long as the node is told to."""

    def __init__(self, shop: WSGIApplication, injection: NodeInjection) -> None:
        self._shop = shop
        self._injection = injection

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        now = self._injection.now  # once: it may be replaced in the middle of this answer
        if (not now.delay_ms and now.errors == "none") or notes_of(environ).quiet:
            return self._shop(environ, start_response)
        sleep(now.delay_ms / 1000)
        if now.errors == "none":
            return self._shop(environ, start_response)
        if now.errors == "afterwards":
            self._do_and_drop(environ)
        start_response("500 INTERNAL SERVER ERROR", [("Content-Type", "application/json")])
        return [_ERROR]

    def _do_and_drop(self, environ: WSGIEnvironment) -> None:
        """Let the shop do all of it, cookie and all, and throw the answer away."""
        status = 0

        def start(line: str, _headers: list[tuple[str, str]], _exc_info: Any = None) -> Any:
            nonlocal status
            status = int(line[:3])
            return None

        body = self._shop(environ, start)
        # Flask has saved the session when it returns: for that, nobody need read the answer.
        if hasattr(body, "close"):
            body.close()
        notes_of(environ).done_in_spite = status < 500


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
        notes = begin_notes(environ)
        status = 0

        def start(line: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            nonlocal status
            status = int(line[:3])
            if not path.startswith("/static/"):  # pictures may be kept: their address changes with what is in them
                headers = [header for header in headers if header[0].lower() != "cache-control"]
                headers.append(("Cache-Control", "no-store"))
            return start_response(line, [*headers, *self._marks, ("X-Request-Id", notes.id)], exc_info)

        body = self._shop(environ, start)
        if notes.streams:
            self._note(environ, notes, status, at_us, started)
            return body
        try:
            # All of it before the first byte leaves: the log has to be written before anybody is answered.
            chunks = list(body)
        finally:
            if hasattr(body, "close"):
                body.close()
        self._note(environ, notes, status, at_us, started)
        return chunks

    def _note(self, environ: WSGIEnvironment, notes: RequestNotes, status: int, at_us: int, started: int) -> None:
        """Into the tally and the log, before the answer leaves."""
        asked, notes.asked = notes.asked, None
        if notes.quiet or notes.id.startswith(_PROBE):
            return
        rule = asked.url_rule if asked is not None else None
        took_us = (time.perf_counter_ns() - started) // 1000
        method = environ["REQUEST_METHOD"]
        self._tally.count(method, rule.rule if rule is not None else "(none)", status, took_us)
        if self._log is None:
            return
        path = environ.get("PATH_INFO", "")[:_LONGEST_PATH]
        # Only of strangers: whoever is known stands in the log by name, and parsing cookies costs each request.
        brought = "" if notes.user or path.startswith("/static/") else self._session_brought(environ)
        line = LoggedRequest(
            at_us, notes.id, self._node, self._boot, method, path, status, took_us, notes.user, brought
        )  # fmt: skip
        self._log.write(*self._session_event(notes, status), line)

    def _session_brought(self, environ: WSGIEnvironment) -> str:
        """The fingerprint of a session that the client has a cookie of, whoever opened it; "" without."""
        brought = parse_cookie(environ).get(self._cookie, "") if environ.get("HTTP_COOKIE") else ""
        return fingerprint(brought) if brought else ""

    def _session_event(self, notes: RequestNotes, status: int) -> tuple[LogRecord, ...]:
        # After a 5xx nothing counts as opened or ended: it is what a session that could not be saved ends in.
        if notes.event is None or (status >= 500 and not notes.done_in_spite):
            return ()
        event, user, session = notes.event
        now_us = time.time_ns() // 1000
        return (LoggedSession(now_us, event, notes.id, self._node, self._boot, user, session),)
