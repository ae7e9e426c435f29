"""What is injected into a living node, by `PUT /-/trouble`; its health check and its control pages are spared."""

from __future__ import annotations

import time
from collections.abc import Iterable
from time import sleep
from typing import TYPE_CHECKING, Any

from shared.sessions import Injection
from shared.shop.visit import visit_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_ERROR = b'{"error":"sick","message":"this node was told to answer with errors"}'


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
