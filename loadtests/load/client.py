"""The shoppers' HTTP client: Locust's (geventhttpclient), made strict. What happens on the wire is what is told, once.

- A request is sent once. geventhttpclient re-sends GET and DELETE by itself when a connection closes early; that is
  switched off, and `assert_strict` says so at start-up if a new version has moved the switch.
- No redirects, no retries, no status that raises.
- Connecting and waiting for the answer are bounded, and told apart: what was never sent surely did not happen.
- Cookies as a browser keeps them (see `loadtests.load.cookies`), in as many jars as the visit needs, and as many
  connections as it has requests on their way at once.

Import Locust before this module (it patches the process); nothing outside of the load process may import it.
"""

import time
from typing import Any

import gevent
import geventhttpclient.client
from geventhttpclient.client import HTTPClient
from geventhttpclient.connectionpool import ConnectionPool
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError
from geventhttpclient.url import URL

from loadtests.load.answers import ShopAnswer
from loadtests.load.cookies import Pocket
from loadtests.model.history import Jar
from loadtests.model.plan import ClientLimits
from shared.errors import EnvironmentNotReady

WINDOW_S = 3600.0  # no load window is longer
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


class _Connections(ConnectionPool):
    """Tells failing to connect apart from everything later."""

    def _create_socket(self) -> Any:
        try:
            return super()._create_socket()
        except OSError as error:
            # Told apart here, where it is known: to whoever reads an answer, a timeout is a timeout.
            raise NotSent(_word(error).replace("timeout", "connect_timeout")) from error


class _Client(HTTPClient):
    """One server's client, on such connections. Plain HTTP only: everything under test is on this machine."""

    def __init__(self, host: str, port: int, limits: ClientLimits, answer_timeout_s: float | None = None) -> None:
        super().__init__(host, port)
        # In the place of the pool that was just made: no argument says which class it is to be.
        self._connection_pool = _Connections(
            host, port, host, port, size=1,
            connection_timeout=limits.connect_timeout_ms / 1000,
            network_timeout=limits.answer_timeout_ms / 1000 if answer_timeout_s is None else answer_timeout_s,
        )  # fmt: skip


class StrictSession:
    """One shopper's way to the shop: its cookies, and connections to the one server that there is."""

    def __init__(self, base_url: str, limits: ClientLimits) -> None:
        url = URL(base_url)
        if url.scheme != "http" or url.port is None:
            raise EnvironmentNotReady(
                f"cannot shop at {base_url}", why="the shoppers speak plain HTTP", next_step="give a http:// address"
            )
        self._base = base_url.rstrip("/")
        self._address = (url.host, url.port, limits)
        self._limit_s = (limits.connect_timeout_ms + limits.answer_timeout_ms) / 1000
        self._main = Pocket("main", self._base)
        self._pockets: dict[Jar, Pocket] = {"main": self._main}
        self._idle: dict[Jar, list[_Client]] = {"main": []}

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes = b"", jar: Jar = "main") -> ShopAnswer:
        """Send one request, once. The answer, or why there is none; raises nothing of the network's."""
        pocket = self._main if jar == "main" else self.pocket(jar)  # nearly all are: no look-up for these
        pocket.dress(path, headers)
        idle = self._idle[jar]
        # The connection that was used last: it is the likeliest to be open still.
        shop = idle.pop() if idle else _Client(*self._address)
        began = time.monotonic_ns()
        # Of the whole: the socket's own timeout begins anew with each piece, and a dripping answer would outlast it.
        limit = gevent.Timeout.start_new(self._limit_s)
        try:
            response = shop.request(method, path, body, headers)
            content = response.read()
        except NotSent as error:
            idle.append(shop)
            return ShopAnswer(began, time.monotonic_ns(), error=str(error), sent=False)
        except BaseException as error:
            shop.close()  # a connection pool that was interrupted may count a connection as busy for ever
            if error is limit or isinstance(error, OSError | HTTPParseError):
                return ShopAnswer(began, time.monotonic_ns(), error="timeout" if error is limit else _word(error))
            raise  # another timeout is somebody else's, who waits for it
        finally:
            limit.close()
        done = time.monotonic_ns()  # before the cookies are looked at: that is our time, not the shop's
        idle.append(shop)
        found = response.info()
        refused = "set-cookie" in found and pocket.take(found, path)
        sent = len(headers.get("Cookie", ""))
        return ShopAnswer(
            began, done, response.get_code(), headers=found, body=content, cookie_bytes=sent, cookie_refused=refused
        )

    def watch(self, path: str, headers: dict[str, str], until_ns: int) -> ShopAnswer:
        """Open an event stream with the cookies of `main` and hold it until then (time.monotonic_ns())."""
        self._main.dress(path, headers)
        began = time.monotonic_ns()
        shop = _Client(*self._address, WINDOW_S)  # a stream may be silent for long; `_held` has its own limit
        limit = gevent.Timeout.start_new(self._limit_s)
        try:
            response = shop.request("GET", path, b"", headers)
            content = b"" if response.get_code() == 200 else response.read()
            limit.close()  # it has begun, in time; how long it lasts is not for this limit to say
            found = response.info()
            refused = "set-cookie" in found and self._main.take(found, path)
            streamed, dropped = (0, False) if content else _held(response, until_ns)
        except NotSent as error:
            return ShopAnswer(began, time.monotonic_ns(), error=str(error), sent=False)
        except BaseException as error:
            if error is limit or isinstance(error, OSError | HTTPParseError):
                return ShopAnswer(began, time.monotonic_ns(), error="timeout" if error is limit else _word(error))
            raise
        finally:
            limit.close()
            shop.close()
        return ShopAnswer(
            began, time.monotonic_ns(), response.get_code(), headers=found, body=content, streamed=streamed,
            dropped=dropped, cookie_bytes=len(headers.get("Cookie", "")), cookie_refused=refused,
        )  # fmt: skip

    def close(self) -> None:
        """Close every connection."""
        for idle in self._idle.values():
            while idle:
                idle.pop().close()

    def pocket(self, jar: Jar) -> Pocket:
        """That jar; an empty one if nothing was asked with it yet."""
        pocket = self._pockets.get(jar)
        if pocket is None:
            pocket = self._pockets[jar] = Pocket(jar, self._base)
            self._idle[jar] = []
        return pocket


def _held(response: Any, until_ns: int) -> tuple[int, bool]:
    """How many bytes came until then, and whether the stream ended before."""
    streamed = 0
    enough = gevent.Timeout.start_new(max(0.0, (until_ns - time.monotonic_ns()) / 1e9))
    try:
        # By lines: an event of a stream ends with one, so that this waits for no more than has been sent.
        while line := response.readline(b"\n"):
            streamed += len(line)
    except (OSError, HTTPParseError):
        return streamed, True
    except gevent.Timeout as timeout:
        if timeout is not enough:
            raise
        return streamed, False  # held to the end
    finally:
        enough.close()
    return streamed, True  # a stream has no end of its own


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
