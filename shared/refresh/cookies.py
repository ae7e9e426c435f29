"""Two cookies: an access token (a JWT, RFC 7519) that carries the session for a short time, and what renews it.

    request ── access token good? ── yes ── the session is what it says, nobody is asked
                      └ no ── refresh token shown? ── its family is asked: a new pair goes with the answer
                                                  └── refused: a stranger

Renewing happens in whichever request comes with an access token that is over, as in frameworks that do it on the
server's side: a browser that sends several at that moment shows its refresh token several times.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, cast

from flask.sessions import SecureCookieSession, SessionInterface, SessionMixin
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from shared.shop.session_format import FORMATS

if TYPE_CHECKING:
    from datetime import datetime

    from flask import Flask, Request, Response

    from shared.refresh.families import RefreshFamilies, Rotated
    from shared.shop.settings import Settings
    from shared.shop.signed_cookies import TokenClock

ALGORITHM = "HS256"
"""Whoever signs also judges: every node is the same shop, and holds the same secret. joserfc recommends it for that."""
REFRESH_SUFFIX = "-refresh"
"""Of the refresh token's cookie; before it stands the session cookie's name."""


class RenewedSession(SecureCookieSession):
    """A session that knows its family, and the refresh token that is to be sent with the answer, if one is."""

    family = ""
    send = ""
    good_until_s = 0.0
    """When its access token is over, if it came with one that is not: changing it makes it live no longer."""


class AccessTokens:
    """Signs what a session holds, and reads it again."""

    def __init__(self, settings: Settings, clock: TokenClock) -> None:
        keys = (settings.secret_key, settings.fallback_key) if settings.fallback_key else (settings.secret_key,)
        self._keys = [_key(key) for key in keys]
        self._format = FORMATS[settings.session_format]
        self._clock = clock
        self._leeway_s = settings.clock_leeway_s

    def sign(self, session: RenewedSession, lifetime_s: float) -> str:
        """The token; good for so long from now on, or as long as it was before it was changed."""
        claims = {
            "sub": self._format.user(session),
            "sid": session.family,
            "exp": session.good_until_s or self._now_s() + lifetime_s,
            "session": dict(session),
        }
        return jwt.encode({"alg": ALGORITHM}, claims, self._keys[0])

    def read(self, token: str) -> tuple[dict[str, Any], bool] | None:
        """Its claims, and whether its time is not over; None if nobody of us signed it."""
        for key in self._keys:  # the one before, too: a change of keys logs nobody out
            try:
                claims = jwt.decode(token, key, algorithms=[ALGORITHM]).claims
            except (JoseError, ValueError):
                continue
            # Not by the library's registry of claims: that counts whole seconds, and lifetimes here may be shorter.
            return claims, claims["exp"] > self._now_s() - self._leeway_s
        return None

    def _now_s(self) -> float:
        return self._clock.now_us() / 1e6


class RefreshCookies(SessionInterface):
    """Both cookies as a session of Flask's."""

    def __init__(self, settings: Settings, families: RefreshFamilies, clock: TokenClock) -> None:
        self._access = AccessTokens(settings, clock)
        self._families = families
        self._name = settings.cookie_name
        self._user_field = FORMATS[settings.session_format].user_field
        self._idle_s = settings.session_lifetime_s
        self._access_s = min(settings.access_lifetime_s, self._idle_s)

    def open_session(self, app: Flask, request: Request) -> RenewedSession:
        """What the access token says; if its time is over, what its refresh token is good for."""
        read = self._access.read(request.cookies.get(self._name, ""))
        if read is not None and read[1]:
            return _session_of(read[0])
        shown = request.cookies.get(self._name + REFRESH_SUFFIX, "")
        rotated = self._families.rotate(shown) if shown else None
        if rotated is None:
            return RenewedSession()
        return self._renewed(rotated, read[0] if read else {})

    def open_family(self, session: RenewedSession, user: str) -> None:
        """A login: another family than the session had, if it had one."""
        if session.family:
            self._families.end(session.family)  # whoever planted it holds nothing any more
        opened = self._families.open(user)
        session.family, session.send, session.good_until_s = opened.family, opened.token, 0.0
        session.modified = True

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Send what has changed; an ended session's family is ended, and both cookies go."""
        renewed = cast("RenewedSession", session)
        if renewed.accessed:
            response.vary.add("Cookie")
        if not renewed:
            if renewed.modified:  # emptied, by a logout; a stranger's was never anything but empty
                self._end(renewed, response)
            return
        # Both live as long as the refresh token: of an access token that is over, the cart is still wanted.
        expires = self.get_expiration_time(app, renewed)
        if renewed.send:
            self._set(response, self._name + REFRESH_SUFFIX, renewed.send, expires)
        if renewed.send or self.should_set_cookie(app, renewed):
            lifetime_s = self._access_s if renewed.family else self._idle_s
            self._set(response, self._name, self._access.sign(renewed, lifetime_s), expires)

    def _renewed(self, rotated: Rotated, claims: dict[str, Any]) -> RenewedSession:
        """With what the access token held, if it is of that family; if nobody of us signed it, with the name alone."""
        same = claims.get("sid") == rotated.family
        session = RenewedSession(claims["session"] if same else {self._user_field: rotated.user, "_permanent": True})
        session.family, session.send = rotated.family, rotated.token
        return session

    def _end(self, session: RenewedSession, response: Response) -> None:
        if session.family:
            self._families.end(session.family)
        for name in (self._name, self._name + REFRESH_SUFFIX):
            response.delete_cookie(name, httponly=True, samesite="Lax")

    def _set(self, response: Response, name: str, value: str, expires: datetime | None) -> None:
        response.set_cookie(name, value, expires=expires, httponly=True, samesite="Lax")
        response.vary.add("Cookie")


def _session_of(claims: dict[str, Any]) -> RenewedSession:
    session = RenewedSession(claims["session"])
    session.family, session.good_until_s = claims["sid"], claims["exp"]
    return session


def _key(secret: str) -> OctKey:
    """A key of its own for access tokens, from the secret that signs everything else as well."""
    return OctKey.import_key(hashlib.sha256(b"access token:" + secret.encode()).digest())
