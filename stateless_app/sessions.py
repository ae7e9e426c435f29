"""Sessions outside of the node: in a signed cookie (Flask's own), or in Redis (Flask-Session)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import session

from shared.errors import UsageError
from shared.sessions import HeldSession, SessionStore

if TYPE_CHECKING:
    from flask import Flask

    from shared.shop.settings import Settings


class TokenSessions(SessionStore):
    """The whole session in the cookie: signed, so nobody can change it; not encrypted, so anybody can read it."""

    kind = "token"
    where = "in your cookie, signed"
    outages: tuple[type[Exception], ...] = ()

    def install(self, app: Flask) -> None:
        """Nothing to do: this is what Flask does by itself."""

    def regenerate(self) -> None:
        """A token has no id that could be fixed beforehand."""

    def session_id(self) -> str:
        """None."""
        return ""

    def held(self) -> list[HeldSession]:
        """None: the node remembers nothing."""
        return []


class RedisSessions(SessionStore):
    """The session in Redis, its id in the cookie."""

    kind = "redis"
    where = "in Redis"

    def __init__(self, settings: Settings) -> None:
        # Not loaded by nodes that keep no sessions there: it doubles the time they take to start.
        from redis import Redis, RedisError
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        self.outages: tuple[type[Exception], ...] = (RedisError,)
        # Left alone, redis-py asks 10 times and waits 5 s each time: then the client's patience is what is measured.
        self._client = Redis.from_url(
            settings.redis_url,
            socket_timeout=settings.store_timeout_s,
            socket_connect_timeout=settings.store_timeout_s,
            retry=Retry(NoBackoff(), settings.store_retries),
        )

    def install(self, app: Flask) -> None:
        """Make `flask.session` live in this store."""
        from flask_session import Session

        app.config.update(SESSION_TYPE="redis", SESSION_REDIS=self._client)
        Session(app)
        self._interface: Any = app.session_interface

    def regenerate(self) -> None:
        """Give the current session a new id."""
        self._interface.regenerate(session)

    def session_id(self) -> str:
        """The id of the current session."""
        return str(session.sid)  # type: ignore[attr-defined]

    def held(self) -> list[HeldSession]:
        """None: the node remembers nothing."""
        return []


def session_store(settings: Settings) -> SessionStore:
    """The store that the settings name; a signed token if they name none.

    Raises:
        UsageError: this twin has no such store.
    """
    match settings.store:
        case "" | "token":
            return TokenSessions()
        case "redis":
            return RedisSessions(settings)
    raise UsageError(
        f"the stateless twin has no session store {settings.store!r}",
        why="it remembers nothing itself",
        next_step="TWINSHOP_STORE=token or redis, or start stateful_app",
    )
