"""What a living node is told to suffer from, by `PUT /-/trouble`; its health check and its control pages never do.

The words are those of `compose.changes.Trouble`, which the shop cannot import (a test compares them).
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from time import sleep
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from shared.shop.visit import visit_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SICK = b'{"error":"sick","message":"this node was told to answer with errors"}'


class Trouble(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that a node can be told to suffer from; without arguments: nothing."""

    delay_ms: int = 0
    """Every answer takes that much longer."""
    errors: Literal["none", "instead", "afterwards"] = "none"
    """instead: 500, and nothing is done; afterwards: all is done and saved, and the answer is 500 all the same."""
    session_cap: int = 0
    """The most sessions it keeps in its memory from now on; 0: as it was started."""
    clock_ahead_s: int = 0
    """How far its clock is ahead, as far as sessions read it."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if not 0 <= self.delay_ms <= MOST_DELAY_MS:
            raise ValueError(f"expected a delay of 0 to {MOST_DELAY_MS} ms")
        if self.session_cap < 0:
            raise ValueError("expected a cap of at least 1 session, or 0 for none of its own")


MOST_DELAY_MS = 60_000


class NodeTrouble:
    """What this node suffers from right now: replaced as a whole, so that any thread may read it at any time."""

    def __init__(self) -> None:
        self.now = Trouble()

    def clock_us(self) -> int:
        """The wall clock as sessions read it: microseconds since 1970."""
        return time.time_ns() // 1000 + self.now.clock_ahead_s * 1_000_000


class Suffering:
    """Stands around the shop and makes its answers late or wrong, as long as the node is told to."""

    def __init__(self, shop: WSGIApplication, trouble: NodeTrouble) -> None:
        self._shop = shop
        self._trouble = trouble

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        now = self._trouble.now
        if (not now.delay_ms and now.errors == "none") or visit_of(environ).quiet:
            return self._shop(environ, start_response)
        sleep(now.delay_ms / 1000)
        if now.errors == "none":
            return self._shop(environ, start_response)
        if now.errors == "afterwards":
            self._do_and_drop(environ)
        start_response("500 INTERNAL SERVER ERROR", [("Content-Type", "application/json")])
        return [_SICK]

    def _do_and_drop(self, environ: WSGIEnvironment) -> None:
        """Let the shop do all of it, cookie and all, and throw the answer away."""
        status = 0

        def start(line: str, _headers: list[tuple[str, str]], _exc_info: Any = None) -> Any:
            nonlocal status
            status = int(line[:3])
            return None

        body = self._shop(environ, start)
        if hasattr(body, "close"):
            body.close()
        visit_of(environ).done_in_spite = status < 500
