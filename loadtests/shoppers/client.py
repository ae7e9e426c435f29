"""The shoppers' HTTP client: Locust's, made strict. What happens on the wire is what is told, once.

- A request is sent once. geventhttpclient re-sends GET and DELETE by itself when a connection closes early; that is
  switched off, and `assert_strict` says so at start-up if a new version has moved the switch.
- No redirects, no retries, no status that raises.
- Connecting and waiting for the answer are bounded, and told apart: what was never sent surely did not happen.
- The browser's cookie rule: a cookie whose name and value exceed 4,096 bytes is not kept, and the older one stays.

Import Locust before this module (it patches the process); nothing outside of the load process may import it.
"""

from __future__ import annotations

import time
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.request import Request

import gevent
import geventhttpclient.client
from geventhttpclient.client import HTTPClient, HTTPClientPool
from geventhttpclient.connectionpool import ConnectionPool
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError
from geventhttpclient.url import URL
from locust.contrib.fasthttp import FastHttpSession, LocustUserAgent

from loadtests.plan import ClientLimits
from loadtests.shoppers.answers import Answer
from shared.errors import EnvironmentNotReady

COOKIE_BYTES = 4096
"""Name and value of a cookie together; browsers ignore a longer one."""
_SWITCH = "_may_retry_after_send_error"


def assert_strict() -> None:
    """Switch hidden re-sends off, for the whole process.

    Raises:
        EnvironmentNotReady: geventhttpclient has no such switch any more, so nobody knows what it does.
    """
    if not callable(getattr(geventhttpclient.client, _SWITCH, None)):
        raise EnvironmentNotReady(
            f"geventhttpclient {geventhttpclient.__version__} has no {_SWITCH}: hidden re-sends cannot be switched off",
            why="it re-sends GET and DELETE by itself when a connection closes early, which hides failures",
            next_step="install the pinned version: make install",
        )
    setattr(geventhttpclient.client, _SWITCH, lambda method: False)


class NotSent(OSError):
    """No connection: the request surely did not reach anybody."""


class BrowserCookies(DefaultCookiePolicy):
    """Keeps what a browser keeps."""

    def set_ok(self, cookie: Cookie, request: Request) -> bool:
        """False for a cookie that is too long; the jar then keeps the one it has."""
        return len(cookie.name) + len(cookie.value or "") <= COOKIE_BYTES and super().set_ok(cookie, request)


class _Connections(ConnectionPool):
    """Tells failing to connect apart from everything later."""

    def _create_socket(self) -> Any:
        try:
            return super()._create_socket()
        except OSError as error:
            raise NotSent(_word(error).replace("timeout", "connect_timeout")) from error


class _Client(HTTPClient):
    """One server's client, on such connections. Plain HTTP only: everything under test is on this machine."""

    def __init__(self, host: str, port: int, limits: ClientLimits) -> None:
        super().__init__(host, port)
        self._connection_pool = _Connections(
            host,
            port,
            host,
            port,
            size=1,
            connection_timeout=limits.connect_timeout_ms / 1000,
            network_timeout=limits.answer_timeout_ms / 1000,
        )


class _Clients(HTTPClientPool):
    """What Locust's own methods (`self.client.get`) take their connections from: the same ones."""

    def __init__(self, client: _Client) -> None:
        super().__init__()
        self.clients[client.host, client.port] = client


class StrictSession(FastHttpSession):
    """Locust's session on strict ground: `ask` is the short way that the shoppers take; get, post, … work as ever."""

    def __init__(self, base_url: str, request_event: Any, user: Any, limits: ClientLimits) -> None:
        super().__init__(base_url, request_event, user, client_pool=HTTPClientPool(), max_redirects=0, max_retries=0)
        self.cookiejar = CookieJar(BrowserCookies())
        url = URL(base_url)
        if url.scheme != "http" or url.port is None:
            raise EnvironmentNotReady(
                f"cannot shop at {base_url}", why="the shoppers speak plain HTTP", next_step="give a http:// address"
            )
        self._address = (url.host, url.port, limits)
        self._shop = _Client(*self._address)
        self.client = _Agent(_Clients(self._shop), self.cookiejar)
        self._limit_s = (limits.connect_timeout_ms + limits.answer_timeout_ms) / 1000
        self._base = base_url.rstrip("/")

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        """Send one request, once, and wait for its whole answer, within the limits. Raises nothing of the network's."""
        jar_request = _JarRequest(self._base + path, headers)
        self.cookiejar.add_cookie_header(jar_request)
        began = time.monotonic_ns()
        limit = gevent.Timeout.start_new(self._limit_s)
        try:
            response = self._shop.request(method, path, body, headers)
            content = response.read()
        except NotSent as error:
            return Answer(began, time.monotonic_ns(), error=str(error), sent=False)
        except BaseException as error:
            self._start_over()
            if error is limit or isinstance(error, OSError | HTTPParseError):
                return Answer(began, time.monotonic_ns(), error="timeout" if error is limit else _word(error))
            raise
        finally:
            limit.close()
        done = time.monotonic_ns()
        found = response.info()
        if "set-cookie" in found:
            self.cookiejar.extract_cookies(_JarResponse(found), jar_request)  # type: ignore[arg-type]
        return Answer(began, done, response.get_code(), headers=found, body=content)

    def _start_over(self) -> None:
        """A connection pool that was interrupted may count a connection as busy for ever: begin with a new one."""
        self._shop.close()
        self._shop = _Client(*self._address)
        self.client.clientpool = _Clients(self._shop)

    def close(self) -> None:
        """Give the connection back."""
        self._shop.close()


class _Agent(LocustUserAgent):
    """No retries, no redirects, and no status is an exception."""

    def __init__(self, clients: HTTPClientPool, cookies: CookieJar) -> None:
        super().__init__(client_pool=clients, cookiejar=cookies, max_retries=0, max_redirects=0)

    def _verify_status(self, status_code: int, url: object = None) -> None:
        """Every status is an answer; what it means is for the shopper to say."""


class _JarRequest(Request):
    """As much of a request as a cookie jar wants to see; the Cookie header goes where the other headers are."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        super().__init__(url)
        self._sent = headers

    def add_unredirected_header(self, key: str, val: str) -> None:
        """The jar's way to say `Cookie: …`."""
        self._sent[key] = val


class _JarResponse:
    """As much of an answer as a cookie jar wants to see."""

    def __init__(self, headers: Any) -> None:
        self._headers = headers

    def info(self) -> Any:
        """The headers."""
        return self._headers


def _word(error: BaseException) -> str:
    """What happened, in one word."""
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "reset"
    if isinstance(error, HTTPConnectionClosed):
        return "closed"
    if isinstance(error, HTTPParseError):
        return "garbled"
    number = getattr(error, "errno", None)
    return f"network error {number}" if number else type(error).__name__.lower()
