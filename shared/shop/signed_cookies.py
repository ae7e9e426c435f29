"""Sessions in a signed cookie, as Flask makes them, on a clock that can be wrong and can be lenient.

In several cookies, if need be; and what was last said of those that can be revoked.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import SignatureExpired, TimestampSigner, URLSafeTimedSerializer
from werkzeug.datastructures import ImmutableMultiDict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Flask, Request, Response

_MOST_ANSWERS = 10_000
"""Remembered for when Redis is away; the oldest go first."""
PIECE_BYTES = 3800
"""Of a value in one cookie: browsers ignore a cookie whose name and value are longer than 4,096 bytes together."""


@dataclass(slots=True)
class TokenClock:
    """The clock that tokens are signed and judged by."""

    leeway_s: int = 0
    """A token may have been signed that far ahead of it."""
    ahead_s: int = 0
    """How wrong it is."""

    def now_us(self) -> int:
        """Microseconds since 1970."""
        return time.time_ns() // 1000 + self.ahead_s * 1_000_000


class ClockedSigner(TimestampSigner):
    """Signs with that clock, and judges by it. itsdangerous by itself refuses every token from the future."""

    def __init__(self, *arguments: Any, clock: TokenClock, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._clock = clock

    def get_timestamp(self) -> int:
        """The time of the clock, in seconds."""
        return int(time.time()) + self._clock.ahead_s

    def unsign(self, signed_value: Any, max_age: int | None = None, return_timestamp: bool = False) -> Any:
        """As the base class, and with leeway."""
        try:
            return super().unsign(signed_value, max_age, return_timestamp)  # type: ignore[call-overload]
        except SignatureExpired as error:  # its word for a token from the future, too
            signed = error.date_signed
            if signed is None or not 0 < signed.timestamp() - self.get_timestamp() <= self._clock.leeway_s:
                raise
            # The signature was good; nothing but the age is forgiven.
            return super().unsign(signed_value, None, return_timestamp)  # type: ignore[call-overload]


class LastAnswers:
    """What Redis last said of each token: a node goes by it for a while when Redis is away, and hears of no revocation.

    How long Redis is waited for before that is its client's timeout: on each request.
    """

    def __init__(self, for_s: float, outages: tuple[type[Exception], ...]) -> None:
        self._for_s = for_s
        self._outages = outages
        self._known: dict[str, tuple[float, bool]] = {}
        self._lock = threading.Lock()

    def to(self, token_id: str, question: Callable[[], bool]) -> bool:
        """The answer to that question about that token; the last one, if it is young enough and there is no other."""
        now = time.monotonic()  # before the question, which may take until Redis' timeout
        try:
            answer = question()
        except self._outages:
            at, answer = self._known.get(token_id, (-self._for_s, True))
            if now - at >= self._for_s:
                raise
            return answer
        if self._for_s:
            self._remember(token_id, now, answer)
        return answer

    def _remember(self, token_id: str, now: float, answer: bool) -> None:
        with self._lock:
            self._known.pop(token_id, None)  # or it would keep its old place among those that go first
            self._known[token_id] = now, answer
            if len(self._known) > _MOST_ANSWERS:
                del self._known[next(iter(self._known))]


class SignedCookies(SecureCookieSessionInterface):
    """Flask's own signed cookie, on that clock. Made once for an app, where Flask makes it anew for each request."""

    def __init__(self, app: Flask, clock: TokenClock, *, chunks: bool = False) -> None:
        made = super().get_signing_serializer(app)
        if made is None:
            raise RuntimeError("an app without a secret key has no signed cookies")
        made.signer = ClockedSigner
        made.signer_kwargs = {**made.signer_kwargs, "clock": clock}
        self._serializer: URLSafeTimedSerializer = made
        self._chunks = chunks
        if chunks:
            app.config["MAX_COOKIE_SIZE"] = 0  # what werkzeug warns of is split

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer:
        """What signs and judges."""
        return self._serializer

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """As the base class, from all the pieces there are."""
        if self._chunks:
            name = self.get_cookie_name(app)
            whole = "".join(request.cookies[each] for each in _pieces_in(request.cookies, name))
            request.cookies = ImmutableMultiDict({**request.cookies, name: whole})
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """As the base class; then in pieces, if it is longer than one cookie may be."""
        super().save_session(app, session, response)
        if self._chunks:
            _split(response, self.get_cookie_name(app), _pieces_in(request.cookies, self.get_cookie_name(app)))


def _pieces_in(cookies: Mapping[str, str], name: str) -> list[str]:
    """The names of the pieces that came: NAME, NAME-1, NAME-2, … as far as none is missing."""
    found = [name] if name in cookies else []
    while found and (following := f"{name}-{len(found)}") in cookies:
        found.append(following)
    return found


def _split(response: Response, name: str, came: list[str]) -> None:
    """Set the session's cookie as several, and delete those that came and are needed no more."""
    given = response.headers.getlist("Set-Cookie")
    whole = next((each for each in given if each.startswith(f"{name}=")), None)
    if whole is None:
        return
    value, semicolon, attributes = whole.removeprefix(f"{name}=").partition(";")
    pieces = [value[at : at + PIECE_BYTES] for at in range(0, len(value), PIECE_BYTES)] or [""]
    names = [name, *(f"{name}-{number}" for number in range(1, len(pieces)))]
    response.headers.setlist("Set-Cookie", [each for each in given if each is not whole])
    for each, piece in zip(names, pieces, strict=True):
        response.headers.add("Set-Cookie", f"{each}={piece}{semicolon}{attributes}")
    for each in came[len(names) :]:
        response.delete_cookie(each)
