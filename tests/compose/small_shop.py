"""A node of a few lines, for tests of what stands in front of it: it starts in a tenth of the shop's time.

`python small_shop.py PORT`; the rest it is told as every node is, by its environment. Who is logged in, it knows by its
own memory or, where the architecture keeps sessions elsewhere, by the cookie alone.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import threading
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

NODE, RUN, COOKIE = (os.environ.get(f"TWINSHOP_{name}", "") for name in ("NODE", "RUN", "COOKIE_NAME"))
REMEMBERS = os.environ.get("TWINSHOP_STORE") == "memory"
BOOT = secrets.token_hex(6)
HELD: set[str] = set()
GO = threading.Event()
"""Until then, slow answers wait."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # an answer in two pieces would wait 40 ms for the first one's acknowledgement

    def do_GET(self) -> None:
        """Every path that there is; the others are not found."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        match self.path.partition("?")[0]:
            case "/healthz":
                self._answer(200, {"boot": BOOT})
            case "/x" | "/products" | "/metrics" | "/nothing" | "/-/sessions" | "/-/state":
                self._answer(200, {"headers": dict(self.headers)})
            case "/slow":
                GO.wait(60)
                self._answer(200, {})
            case "/go":
                GO.set()
                self._answer(200, {})
            case "/close":
                self.close_connection = True
                self.connection.close()
            case "/login":
                session = f"{json.loads(body)['user']}.{secrets.token_hex(4)}"
                HELD.add(session)
                self._answer(200, {}, session)
            case "/logout":
                HELD.discard(self._session())
                self._answer(200, {}, "")
            case "/me":
                session = self._session()
                known = session in HELD or (bool(session) and not REMEMBERS)
                self._answer(200 if known else 401, {"user": session.partition(".")[0]})
            case _:
                self._answer(404, {})

    do_POST = do_GET  # noqa: N815, as the base class calls it

    def _session(self) -> str:
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get(COOKIE)
        return cookie.value if cookie else ""

    def _answer(self, status: int, document: object, session: str | None = None) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("X-Node", NODE)
        self.send_header("X-Run", RUN)
        self.send_header("X-Request-Id", self.headers.get("X-Request-Id", ""))
        self.send_header("Content-Length", str(len(body)))
        if session is not None:
            self.send_header("Set-Cookie", f"{COOKIE}={session}; Path=/; HttpOnly")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    Path(os.environ["TWINSHOP_REQUEST_LOG"]).touch()
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
