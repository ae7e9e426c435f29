"""The cookies of one shopper, jar by jar, kept and sent as a browser does it (RFC 6265bis).

What the standard library's jar does otherwise is corrected here; `tests/loadtests/load/test_like_a_browser.py`
compares the two.
"""

from __future__ import annotations

import re
import zlib
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Iterator
from copy import copy
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from typing import Any, Literal
from urllib.request import Request

from loadtests.model.history import Jar
from loadtests.session_model.token_trail import SEALED

COOKIE_BYTES = 4096  # name and value together: RFC 6265bis has browsers ignore a longer one
# As this attribute is written; the standard library does not know it, and so does not make one word of them.
SAME_SITE = ("SameSite", "samesite", "SAMESITE")
NODE_COOKIES = ("twinshop-node-", "twinshop-ring-")
"""How the names of the balancer's cookies begin: those that lead to a node, or to a place on its ring."""
Forgotten = Literal["node", "session"]
"""Which cookies get lost: those that lead to a node, or all others."""


class BrowserCookies(DefaultCookiePolicy):
    """Keeps what a browser keeps."""

    def __init__(self) -> None:
        # A browser trusts its own machine: what is `Secure` is kept and sent there without TLS.
        super().__init__(secure_protocols=("https", "http"))
        self.refused = False
        """A cookie was too long since somebody last asked."""

    def set_ok(self, cookie: Cookie, request: Request) -> bool:
        """False for a cookie that is too long, or for other sites and not secure."""
        if len(cookie.name) + len(cookie.value or "") > COOKIE_BYTES:
            self.refused = True
            return False  # an older one then stays, which shows an older cart
        if not cookie.secure and any((cookie.get_nonstandard_attr(word) or "").lower() == "none" for word in SAME_SITE):
            return False
        return super().set_ok(cookie, request)


class BrowserJar(CookieJar):
    """Sends cookies in the order in which a browser does: a new value goes to the end, the same one stays."""

    def __init__(self, policy: DefaultCookiePolicy) -> None:
        super().__init__(policy)
        self._always: str | None = None

    def header(self, url: str) -> str:
        """The Cookie header for this address; "" if none of them goes there. All addresses are of one server."""
        if self._always is not None:
            return self._always
        request = JarRequest(url)
        self.add_cookie_header(request)
        # The standard library takes a quarter of a request's time for it, and mostly would say the same again.
        if all(cookie.path == "/" and cookie.expires is None for cookie in self):
            self._always = request.cookies
        return request.cookies

    def clear(self, domain: str | None = None, path: str | None = None, name: str | None = None) -> None:
        """Forget all, or those of a domain, of a path there, or one; KeyError if there are none."""
        self._always = None
        super().clear(domain, path, name)

    def set_cookie(self, cookie: Cookie) -> None:
        """Keep it."""
        self._always = None
        # As Chromium does it; the standard library would leave a new value at the place of the old one.
        place = cookie.domain, cookie.path, cookie.name
        if any((kept.domain, kept.path, kept.name) == place and kept.value != cookie.value for kept in self):
            self.clear(*place)
        super().set_cookie(cookie)


class Pocket:
    """One jar: its cookies, the token that goes with them, and what is asked of them for each request."""

    def __init__(self, jar: Jar, base_url: str) -> None:
        self._policy = BrowserCookies()
        self._base = base_url
        self._seals = jar in SEALED
        self.cookies = BrowserJar(self._policy)
        self.token = ""
        """What whoever logged in with these cookies was given to show in a header; "": nothing."""

    def dress(self, path: str, headers: dict[str, str]) -> None:
        """Put the Cookie header among the others."""
        if cookies := self.cookies.header(self._base + path):
            headers["Cookie"] = cookies

    def take(self, received: Any, path: str) -> bool:
        """Keep the cookies of these headers, which came from there; True if one of them was too long."""
        if self._seals and len(self.cookies):
            return False
        self._policy.refused = False  # the policy is told of one cookie after the other, and can only note it
        self.cookies.extract_cookies(_JarResponse(received), JarRequest(self._base + path))  # type: ignore[arg-type]
        return self._policy.refused

    def by_name(self) -> dict[str, str]:
        """The cookies' values, by their names."""
        return {cookie.name: cookie.value or "" for cookie in self.cookies}

    def empty(self) -> None:
        """Forget all of it."""
        self.cookies.clear()
        self.token = ""

    def fill_from(self, other: Pocket) -> None:
        """Have from now on what the other one has at this moment."""
        self.cookies.clear()
        self.token = other.token
        for cookie in other.cookies:
            self.cookies.set_cookie(copy(cookie))

    def forget(self, what: Forgotten) -> None:
        """Forget the balancer's cookies, or all others."""
        for cookie in list(self.cookies):  # a jar must not change while one goes through it
            if cookie.name.startswith(NODE_COOKIES) == (what == "node"):
                self.cookies.clear(cookie.domain, cookie.path, cookie.name)


class JarRequest(Request):
    """As much of a request as a cookie jar wants to see."""

    cookies = ""

    def add_unredirected_header(self, key: str, val: str) -> None:
        """The jar's way to say `Cookie: …`."""
        self.cookies = val


class _JarResponse:
    """As much of an answer as a cookie jar wants to see."""

    def __init__(self, headers: Any) -> None:
        self._headers = headers

    def info(self) -> Any:
        """The headers."""
        return self._headers


MOST_BYTES = 2**20  # no session is larger; four kilobytes of zlib can stand for a thousand times as many
_WORDS = re.compile(rb"[A-Za-z0-9_-]{8,}")


def stands_in(name: str, values: Iterable[str]) -> bool:
    """Whether somebody without a key can read that name in one of these cookies' values, in a word of its own.

    A cookie's words are tried as they stand, and as URL-safe base64 of text or of compressed text: itsdangerous writes
    `payload.timestamp.signature`, with a dot before a payload that zlib has made shorter
    (https://itsdangerous.palletsprojects.com/en/stable/url_safe/).
    """
    sought = re.compile(rb"(?<![\w-])" + re.escape(name.encode()) + rb"(?![\w-])")
    return any(sought.search(text) for value in values for text in _texts(value.encode()))


def _texts(value: bytes) -> Iterator[bytes]:
    yield value
    for word in _WORDS.findall(value):
        try:
            decoded = urlsafe_b64decode(word + b"=" * (-len(word) % 4))  # cookies leave the padding out
        except ValueError:
            continue
        yield decoded
        try:
            yield zlib.decompressobj().decompress(decoded, MOST_BYTES)
        except zlib.error:
            continue
