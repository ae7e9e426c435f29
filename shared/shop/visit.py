"""A visit: one request at this node, from the moment it comes in until its answer leaves; and what stands around Flask.

From the inside: `Desks` (who waits), `InjectionMiddleware` (what goes wrong on purpose), `Stamp` (what is told of it).
`Stamp` wraps the whole shop, sessions included, so that its word is the last: the status that it logs is the one that
the client gets, also when saving the session failed.
"""

from __future__ import annotations

import mmap
import re
import threading
import time
import uuid
from bisect import bisect_left
from collections import Counter as Counts
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import accumulate
from queue import SimpleQueue
from time import sleep
from typing import TYPE_CHECKING, Any, Literal

from flask import Request, request
from werkzeug.http import parse_cookie

from shared.request_log import LoggedRequest, LoggedSession, LogRecord, RequestLog
from shared.sessions import Injection, fingerprint

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from prometheus_client.metrics_core import Metric

_VISIT = "twinshop.visit"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LONGEST_PATH = 200
_QUIET = frozenset({"/healthz", "/metrics"})
_ERROR = b'{"error":"sick","message":"this node was told to answer with errors"}'
_PROBE = "probe-"
"""How the id of a request begins by which the harness looks at a node: answered like any other, and not logged."""


BOUNDS_US = (1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000)
"""Of the buckets of the histogram; beyond the last one is one more."""


_stopping = mmap.mmap(-1, 1)
"""Whether this node was told to stop, known at once in all its processes, so that answers without an end can end: they
share this memory after a fork. Where workers are started otherwise it is theirs alone, and never set."""


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


def stop() -> None:
    """From now on the node is stopping."""
    _stopping[0] = 1


def is_stopping() -> bool:
    """Whether it is."""
    return _stopping[0] == 1


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
        if (not now.delay_ms and now.errors == "none") or visit_of(environ).quiet:
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
        visit_of(environ).done_in_spite = status < 500


class RequestTally:
    """Counts; safe to use from many threads at once.

    Plain numbers and not the objects of prometheus-client, which cost each request several times as much, and each
    node's start 50 ms: they are made when somebody asks.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counts[tuple[str, str, int]] = Counts()
        self._buckets: dict[str, list[int]] = {}
        self._took_us: Counts[str] = Counts()
        self._outages = 0

    def count(self, method: str, route: str, status: int, took_us: int) -> None:
        """One answer."""
        with self._lock:
            self._requests[method, route, status] += 1
            self._took_us[route] += took_us
            buckets = self._buckets.get(route)
            if buckets is None:
                buckets = self._buckets[route] = [0] * (len(BOUNDS_US) + 1)
            buckets[bisect_left(BOUNDS_US, took_us)] += 1

    def count_outage(self) -> None:
        """One request met a session store that could not be reached."""
        with self._lock:
            self._outages += 1

    def collect(self) -> Iterable[Metric]:
        """All of it, in the words of Prometheus."""
        from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily

        # Copied under the lock and told without it: no answer waits for whoever reads slowly.
        with self._lock:
            requests, took_us, outages = dict(self._requests), dict(self._took_us), self._outages
            buckets = {route: list(counts) for route, counts in self._buckets.items()}
        answered = CounterMetricFamily("twinshop_requests", "Answers.", labels=["method", "route", "status"])
        for (method, route, status), count in requests.items():
            answered.add_metric([method, route, str(status)], count)
        times = HistogramMetricFamily("twinshop_request_seconds", "How long answers took.", labels=["route"])
        for route, counts in buckets.items():
            bounds = [*(f"{bound / 1e6:g}" for bound in BOUNDS_US), "+Inf"]
            # Summed up: in Prometheus' words a bucket holds all that took no longer than its bound.
            times.add_metric([route], list(zip(bounds, accumulate(counts), strict=True)), took_us[route] / 1e6)
        yield answered
        yield times
        yield CounterMetricFamily("twinshop_store_outages", "Requests that could not reach the store.", outages)


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
