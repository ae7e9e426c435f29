"""Sessions outside of the node: in a signed cookie (Flask's own), or in Redis (Flask-Session), or a bit of both."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from flask import request, session
from flask.sessions import SecureCookieSession

from shared.errors import UsageError
from shared.sessions import (
    CART_HELD_S,
    CART_WAIT_S,
    CartBusy,
    Injection,
    ListingStore,
    OpenSession,
    SessionStore,
    fingerprint,
)  # fmt: skip
from shared.shop import database
from shared.shop.session_format import FORMATS
from shared.shop.settings import SENTINEL_MASTER, redis_patience
from shared.shop.signed_cookies import LastAnswers, SignedCookies, TokenClock

if TYPE_CHECKING:
    from flask import Flask, Request, Response
    from flask.sessions import SessionMixin
    from redis import Redis

    from shared.refresh import RefreshFamilies
    from shared.shop.settings import Settings

_PREFIX = "session:"
_INDEX = "sessions-of:"
_NEW_S = 60
"""An id this young may belong to a session that is still on its way to Redis."""
_REVOKED_TOKEN = "revoked-token:"
_REVOKED_USER = "revoked-user:"
_TOKEN_ID = "_id"
_ISSUED_US = "_at"


class TokenSessions(SessionStore):
    """The whole session in the cookie: signed, so nobody can change it; not encrypted, so anybody can read it.

    There is no looking anything up, and so nothing can be ended or kept waiting: not other tokens of a user
    (`revoke_user`), not another request with the same cart (`cart_alone`). The last answer to arrive wins.
    """

    kind = "token"
    where = "in your cookie, signed"

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = TokenClock(settings.clock_leeway_s)

    def install(self, app: Flask) -> None:
        """Make `flask.session` live in the cookie."""
        app.session_interface = SignedCookies(app, self.clock, chunks=self.settings.cookie_chunks)

    def apply(self, injection: Injection) -> None:
        """Take another time for the right one."""
        self.clock.ahead_s = injection.clock_ahead_s


class OnRedis(SessionStore):
    """What stores that ask Redis on each request have in common."""

    def __init__(self, settings: Settings) -> None:
        # Not loaded by nodes that keep no sessions there: it doubles the time they take to start.
        from redis import RedisError

        self.outages = (RedisError,)
        self.client = _connect(settings)

    def reachable(self) -> bool:
        """Whether Redis answers a PING."""
        try:
            return bool(self.client.ping())
        except self.outages:
            return False


class RedisSessions(OnRedis, ListingStore):
    """The session in Redis, its id in the cookie."""

    kind = "redis"
    where = "in Redis"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        if settings.sentinel:
            self.where = "in Redis, wherever its sentinel says that it is"
        self._cookie = settings.cookie_name

    def install(self, app: Flask) -> None:
        """Make `flask.session` live in this store."""
        from flask_session import Session

        app.config.update(SESSION_TYPE="redis", SESSION_REDIS=self.client, SESSION_KEY_PREFIX=_PREFIX)
        Session(app)
        self._interface: Any = app.session_interface

    def regenerate(self) -> None:
        """Give the current session a new id."""
        self._interface.regenerate(session)

    def opened(self, user: str) -> None:
        """Keep the session's id among the user's, and drop those whose sessions are over by now."""
        now, index = time.time(), _INDEX + user
        # One way there and back; that they are one step, nobody needs.
        with self.client.pipeline(transaction=False) as asked:
            asked.zadd(index, {self.session_id(): now})
            asked.zrangebyscore(index, 0, now - _NEW_S)
            _, earlier = asked.execute()
        over = [each for each in earlier if not self.client.exists(_PREFIX + each.decode())]
        if over:
            self.client.zrem(index, *over)

    def session_id(self) -> str:
        """The id of the current session."""
        return str(session.sid)  # type: ignore[attr-defined]

    def revoke_user(self, user: str) -> None:
        """End all of that user's sessions: whichever node opened them, they are here."""
        self.client.delete(_INDEX + user, *(_PREFIX + each for each in self.ids_of(user)))

    def sessions_of(self, user: str) -> list[OpenSession]:
        """Those that the index names and that are not over."""
        own = self.session_id()
        ids = [each for each in self.ids_of(user) if self.client.exists(_PREFIX + each)]
        return [OpenSession(fingerprint(each), each == own) for each in ids]

    def end_ids(self, ids: list[str]) -> int:
        """Delete them."""
        return self.client.delete(*(_PREFIX + each for each in ids)) if ids else 0

    def ids_of(self, user: str) -> list[str]:
        """By the index, which may name some that are over."""
        return [each.decode() for each in cast("list[bytes]", self.client.zrange(_INDEX + user, 0, -1))]

    @contextmanager
    def cart_alone(self) -> Iterator[None]:
        """A lock in Redis, where all nodes see it."""
        session_id = request.cookies.get(self._cookie, "")
        lock = self.client.lock(
            f"cart-lock:{fingerprint(session_id)}", timeout=CART_HELD_S, blocking_timeout=CART_WAIT_S, sleep=0.01
        )
        if not lock.acquire():
            raise CartBusy(f"another write of this cart took longer than {CART_WAIT_S:g} s")
        try:
            yield
        finally:
            with suppress(*self.outages):  # then it ends by itself
                lock.release()


class DenylistSessions(OnRedis, TokenSessions):
    """The session in a signed cookie, and in Redis which of them were ended before their time: asked on each request.

    A token has an id and the time of its login. A logout writes the id to the list; logging out everywhere writes the
    user's name and the time: what was issued until then is refused. Entries go when the tokens have expired anyway.
    """

    kind = "denylist"
    where = "in your cookie, signed, unless a list in Redis says that it was revoked"

    def __init__(self, settings: Settings) -> None:
        OnRedis.__init__(self, settings)
        TokenSessions.__init__(self, settings)
        self.format = FORMATS[settings.session_format]
        self.keep_s = settings.session_lifetime_s + settings.clock_leeway_s

    def install(self, app: Flask) -> None:
        """Make `flask.session` live in the cookie, and ask the list about it."""
        app.session_interface = RevocableCookies(app, self)

    def regenerate(self) -> None:
        """A new id; the token that came with this request is revoked when its successor is sent."""
        self.session_id()  # `identity.begin` has emptied the session, the old id with it

    def session_id(self) -> str:
        """The id of the current token."""
        current = _current()
        self.identify(current)
        return str(current.get(_TOKEN_ID, ""))

    def identify(self, session: Any) -> None:
        """Give a user's session without an id one, and the time of its login."""
        if self.format.user(dict(session)) and not dict.get(session, _TOKEN_ID):
            session[_TOKEN_ID] = secrets.token_hex(8)
            session[_ISSUED_US] = self.clock.now_us()

    def revoke_user(self, user: str) -> None:
        """Refuse all tokens of that user that were issued until now."""
        self.client.set(_REVOKED_USER + user, self.clock.now_us(), ex=self.keep_s)

    def revoke_others(self, user: str) -> bool:
        """The same, and another token for the current session, issued after that."""
        self.revoke_user(user)
        current = _current()
        current.pop(_TOKEN_ID, None)  # saving it will revoke the token under which it came
        self.identify(current)
        current[_ISSUED_US] += 1  # what was issued in the very microsecond of the revocation is refused
        return True


class RefreshTokens(TokenSessions, ListingStore):
    """The session in an access token that is soon over, and a refresh token that renews it: each good for one use.

    Who has an access token is not asked about; so a session that was ended is good for as long as that one was.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.kind = settings.store  # the same session, whose families are in one of two places
        self._families = self._families_in(settings)

    def _families_in(self, settings: Settings) -> RefreshFamilies:
        """Where the refresh tokens are, as the settings say."""
        from shared import refresh

        times = refresh.FamilyTimes(
            settings.session_lifetime_s * 1000, settings.session_absolute_s * 1000, int(settings.refresh_grace_s * 1000)
        )
        if settings.store == "refresh":
            from redis import RedisError

            self.where = "in your cookie, signed, for a short time; what renews it is in Redis"
            self.outages = (RedisError,)
            return refresh.FamiliesInRedis(_connect(settings), times)
        self.where = "in your cookie, signed, for a short time; what renews it is in the database"
        self.outages = (refresh.FamiliesUnavailable,)
        engine = database.connect(settings.database_url, threads=settings.node_threads)
        return refresh.FamiliesInDatabase(engine, database.refresh_families, times, self.clock.now_us)

    def install(self, app: Flask) -> None:
        """Make `flask.session` live in the two cookies."""
        from shared.refresh import RefreshCookies

        self._interface = RefreshCookies(self.settings, self._families, self.clock)
        app.session_interface = self._interface

    def opened(self, user: str) -> None:
        """Open a family for it."""
        self._interface.open_family(_current(), user)

    def session_id(self) -> str:
        """The family of the current session."""
        return str(_current().family)

    def revoke_user(self, user: str) -> None:
        """End all families of that user: what access tokens there are is good until they are over."""
        self._families.end_all(user)

    def ids_of(self, user: str) -> list[str]:
        """That user's families."""
        return self._families.of(user)

    def end_ids(self, ids: list[str]) -> int:
        """End those families."""
        for each in ids:
            self._families.end(each)
        return len(ids)

    def reachable(self) -> bool:
        """Whether the families' store answers."""
        try:
            return self._families.reachable()
        except self.outages:
            return False


class RevocableSession(SecureCookieSession):
    """A session that knows under which token id it came in."""

    came_as = ""


class RevocableCookies(SignedCookies):
    """Signed cookies, and a list of those that are no longer good."""

    session_class = RevocableSession

    def __init__(self, app: Flask, store: DenylistSessions) -> None:
        super().__init__(app, store.clock, chunks=store.settings.cookie_chunks)
        self._store = store
        self._answers = LastAnswers(store.settings.store_cache_s, store.outages)

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The session in the cookie; a stranger's if the token was revoked."""
        found = cast("RevocableSession", super().open_session(app, request))
        # Past the session's own `get`, which would note that the answer depends on the cookie.
        token_id = dict.get(found, _TOKEN_ID, "")
        if not token_id:
            return found
        user, issued_us = self._store.format.user(dict(found)), dict.get(found, _ISSUED_US, 0)
        if self._answers.to(token_id, partial(self._is_revoked, token_id, user, issued_us)):
            return self.session_class()
        found.came_as = token_id
        return found

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Revoke the token that it came as, if the session was ended or is another one now; then set the cookie."""
        self._store.identify(session)
        came_as = cast("RevocableSession", session).came_as
        if came_as and dict.get(cast("RevocableSession", session), _TOKEN_ID) != came_as:
            # Before the cookie: if Redis is away, the answer is a refusal, and the old token is good on.
            self._store.client.set(_REVOKED_TOKEN + came_as, b"", ex=self._store.keep_s)
        super().save_session(app, session, response)

    def _is_revoked(self, token_id: str, user: str, issued_us: int) -> bool:
        ended, all_until = cast(
            "list[bytes | None]", self._store.client.mget(_REVOKED_TOKEN + token_id, _REVOKED_USER + user)
        )
        return ended is not None or (all_until is not None and issued_us <= int(all_until))


def _current() -> Any:
    """The session itself, where Flask has a proxy of it."""
    return session._get_current_object()  # type: ignore[attr-defined]


def _connect(settings: Settings) -> Redis:
    """A client for the settings' Redis, which waits and retries as they say."""
    from redis import Redis
    from redis.connection import parse_url
    from redis.sentinel import Sentinel

    # Beyond so many connections, a request is refused and does not wait.
    patience = {**redis_patience(settings), "max_connections": settings.store_connections or None}
    if not settings.sentinel:
        return Redis.from_url(settings.redis_url, **patience)
    host, _, port = settings.sentinel.rpartition(":")
    asked: dict[str, Any] = parse_url(settings.redis_url)  # type: ignore[no-untyped-call]
    account: dict[str, Any] = {name: asked[name] for name in ("username", "password", "db") if name in asked}
    sentinel = Sentinel([(host, int(port))], sentinel_kwargs=patience, **patience)  # type: ignore[no-untyped-call]
    account["client_name"] = settings.node  # so that a server says who talks to it
    master: Redis = sentinel.master_for(SENTINEL_MASTER, **account)  # type: ignore[no-untyped-call]
    return master


def session_store(settings: Settings) -> SessionStore:
    """The store that the settings name; a signed token if they name none.

    Raises:
        UsageError: this twin has no such store.
    """
    match settings.store:
        case "" | "token":
            return TokenSessions(settings)
        case "redis":
            return RedisSessions(settings)
        case "denylist":
            return DenylistSessions(settings)
        case "refresh" | "refresh-database":
            return RefreshTokens(settings)
    raise UsageError(
        f"the stateless twin has no session store {settings.store!r}",
        why="it remembers nothing itself",
        next_step="TWINSHOP_STORE=token, denylist, redis, refresh or refresh-database, or start stateful_app",
    )
