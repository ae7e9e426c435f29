"""Refresh tokens. Two cookies: an access token (a JWT, RFC 7519) that carries the session for a short time, and what
renews it.

    request ── access token good? ── yes ── the session is what it says, nobody is asked
                      └ no ── refresh token shown? ── its family is asked: a new pair goes with the answer
                                                  └── refused: a stranger

Renewing happens in whichever request comes with an access token that is over, as in frameworks that do it on the
server's side: a browser that sends several at that moment shows its refresh token several times.

Families of refresh tokens: one for each login, one token of it good at a time, each good for one use.

    login ── token 1 ──used── token 2 ──used── token 3 …      one family
                │                └ used again: somebody else has it, or the same browser asked twice: the family ends
                └ used again within the grace window: the same token 2

That a used token ends its family is the rule of RFC 9700, section 4.14.2 (refresh token rotation): whoever holds a
stolen one is found out, at the price of honest people who show a token twice. A token is `family.secret`; both are
random, and nothing is signed: a change of keys ends no family.
"""

from __future__ import annotations

import hashlib
import secrets
from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import sqlalchemy as sa
from flask.sessions import SecureCookieSession, SessionInterface, SessionMixin
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from shared.shop.session_format import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from flask import Flask, Request, Response
    from redis import Redis
    from sqlalchemy.engine import Engine

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


class FamiliesUnavailable(Exception):
    """Where families are kept does not answer: nobody is let in or out."""


class FamilyTimes(NamedTuple):
    """How long families and their tokens last, in milliseconds."""

    idle_ms: int
    """After the last use."""
    absolute_ms: int
    """After the login; 0: there is no such end."""
    grace_ms: int
    """So long after it was used, a token is answered with the same successor."""


class Rotated(NamedTuple):
    """What a token was good for."""

    family: str
    user: str
    token: str
    """Its successor."""


class RefreshFamilies(ABC):
    """Where families are kept. Each method is one step for all who ask at the same time, on whatever node."""

    def open(self, user: str) -> Rotated:
        """A new family, and its first token."""
        family, secret = _random(), _random()
        self._keep(family, user, secret)
        return Rotated(family, user, f"{family}.{secret}")

    def rotate(self, token: str) -> Rotated | None:
        """Use a token. None: it is none, its time is over, its family was ended, or is ended by this: it was used."""
        family, _, secret = token.partition(".")
        found = self._rotate(family, secret, _random()) if family and secret else None
        return None if found is None else Rotated(family, found[0], f"{family}.{found[1]}")

    @abstractmethod
    def end(self, family: str) -> None:
        """End one; its tokens are good for nothing from now on."""

    @abstractmethod
    def end_all(self, user: str) -> None:
        """End all of that user."""

    @abstractmethod
    def of(self, user: str) -> list[str]:
        """The families of that user that are not over."""

    @abstractmethod
    def reachable(self) -> bool:
        """Whether it answers."""

    @abstractmethod
    def _keep(self, family: str, user: str, secret: str) -> None: ...

    @abstractmethod
    def _rotate(self, family: str, secret: str, successor: str) -> tuple[str, str] | None:
        """User and secret of the token that is good from now on."""


_ROTATE = """
local family = redis.call('HMGET', KEYS[1], 'user', 'secret', 'before', 'opened', 'used')
if not family[1] then return false end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local idle, absolute, grace = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
if absolute > 0 and now - family[4] >= absolute then redis.call('DEL', KEYS[1]) return false end
if family[2] == ARGV[1] then
  redis.call('HSET', KEYS[1], 'secret', ARGV[2], 'before', ARGV[1], 'used', now)
  redis.call('PEXPIRE', KEYS[1], idle)
  return {family[1], ARGV[2]}
end
if family[3] == ARGV[1] and now - family[5] < grace then return {family[1], family[2]} end
redis.call('DEL', KEYS[1])
return false
"""
"""Looks and changes in one step: of two that show the same token at the same time, one is the second."""
_KEEP = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('HSET', KEYS[1], 'user', ARGV[1], 'secret', ARGV[2], 'before', '', 'opened', now, 'used', now)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('SADD', KEYS[2], ARGV[4])
redis.call('PEXPIRE', KEYS[2], math.max(tonumber(ARGV[3]), redis.call('PTTL', KEYS[2])))
"""
_FAMILY, _INDEX = "refresh-family:", "refresh-families-of:"


class FamiliesInRedis(RefreshFamilies):
    """In Redis, by its own clock."""

    def __init__(self, client: Redis, times: FamilyTimes) -> None:
        self._client = client
        self._times = times
        self._rotates, self._keeps = client.register_script(_ROTATE), client.register_script(_KEEP)

    def end(self, family: str) -> None:
        """Delete it."""
        self._client.delete(_FAMILY + family)

    def end_all(self, user: str) -> None:
        """Delete all that the user's index names."""
        found = cast("set[bytes]", self._client.smembers(_INDEX + user))
        self._client.delete(_INDEX + user, *(_FAMILY + family.decode() for family in found))

    def of(self, user: str) -> list[str]:
        """Those that the user's index names, and that are there."""
        # An index outlives what it names: families end by themselves, and nobody takes them out of it.
        named = sorted(each.decode() for each in cast("set[bytes]", self._client.smembers(_INDEX + user)))
        return [family for family in named if self._client.exists(_FAMILY + family)]

    def reachable(self) -> bool:
        """It answers a PING."""
        return bool(self._client.ping())

    def _keep(self, family: str, user: str, secret: str) -> None:
        self._keeps([_FAMILY + family, _INDEX + user], [user, secret, self._times.idle_ms, family])

    def _rotate(self, family: str, secret: str, successor: str) -> tuple[str, str] | None:
        # The times in the order of the script's ARGV[3] to ARGV[5], which is that of their tuple.
        found = cast("list[bytes] | None", self._rotates([_FAMILY + family], [secret, successor, *self._times]))
        return None if not found else (found[0].decode(), found[1].decode())


class FamiliesInDatabase(RefreshFamilies):
    """In the shop's database, by the clock of the node that asks."""

    def __init__(self, engine: Engine, table: sa.Table, times: FamilyTimes, clock_us: Callable[[], int]) -> None:
        self._engine = engine
        self._table = table
        self._times = times
        self._clock_us = clock_us

    def end(self, family: str) -> None:
        """Delete it."""
        self._change(self._table.delete().where(self._table.c.family == family))

    def end_all(self, user: str) -> None:
        """Delete all of that user."""
        self._change(self._table.delete().where(self._table.c.user == user))

    def of(self, user: str) -> list[str]:
        """Those that were used within their lifetime."""
        kept = self._table.c
        asked = sa.select(kept.family).where(kept.user == user, kept.used_ms > self._now_ms() - self._times.idle_ms)
        with self._connection() as connection:
            return list(connection.execute(asked.order_by(kept.family)).scalars())

    def reachable(self) -> bool:
        """It answers a question."""
        with self._connection() as connection:
            return int(connection.execute(sa.select(1)).scalar_one()) == 1

    def _keep(self, family: str, user: str, secret: str) -> None:
        now = self._now_ms()
        row = {"family": family, "user": user, "secret": secret, "before": "", "opened_ms": now, "used_ms": now}
        self._change(self._table.insert().values(row))

    def _rotate(self, family: str, secret: str, successor: str) -> tuple[str, str] | None:
        now, kept, times = self._now_ms(), self._table.c, self._times
        good = [kept.family == family, kept.used_ms > now - times.idle_ms]
        if times.absolute_ms:
            good.append(kept.opened_ms > now - times.absolute_ms)
        use = self._table.update().values(secret=successor, before=secret, used_ms=now)
        with self._connection() as connection:
            # The condition decides, not a look beforehand: of two at the same time, one changes no row.
            connection.execute(use.where(*good, kept.secret == secret))
            row = connection.execute(sa.select(self._table).where(*good)).one_or_none()
            if row is not None and (row.secret == successor or self._in_grace(row, secret, now)):
                return row.user, row.secret
            connection.execute(self._table.delete().where(kept.family == family))
            return None

    def _in_grace(self, row: Any, secret: str, now_ms: int) -> bool:
        return bool(row.before == secret and now_ms - row.used_ms < self._times.grace_ms)

    def _change(self, statement: sa.Executable) -> None:
        with self._connection() as connection:
            connection.execute(statement)

    @contextmanager
    def _connection(self) -> Iterator[sa.Connection]:
        """One transaction."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.OperationalError as error:
            raise FamiliesUnavailable from error

    def _now_ms(self) -> int:
        return self._clock_us() // 1000


def _random() -> str:
    return secrets.token_hex(16)
