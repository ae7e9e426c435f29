"""Sessions in the memory of the node: Flask-Session over cachelib. They are gone when the process is gone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from cachelib import SimpleCache
from flask import session
from flask_session import Session

from shared.errors import UsageError
from shared.sessions import HeldSession, SessionStore, fingerprint

if TYPE_CHECKING:
    from flask import Flask

    from shared.shop.settings import Settings

_PREFIX = "session:"


class SessionCache(SimpleCache):
    """cachelib's in-memory cache, which can also say what it holds."""

    def living(self) -> list[tuple[str, dict[str, Any]]]:
        """Everything that has not expired, by key."""
        now = time.time()
        with self._lock:
            packed = [(key, value) for key, (expires, value) in self._cache.items() if expires == 0 or expires > now]
        return [(key, self.serializer.loads(value)) for key, value in packed]


class MemorySessions:
    """The store."""

    kind = "memory"
    where = "in the memory of this node"
    outages: tuple[type[Exception], ...] = ()

    def __init__(self, settings: Settings) -> None:
        # The cache makes room only before it adds, so it can hold one more than its threshold.
        self._cache = SessionCache(threshold=settings.session_cap - 1, default_timeout=settings.session_lifetime_s)

    def install(self, app: Flask) -> None:
        """Make `flask.session` live in this store."""
        app.config.update(SESSION_TYPE="cachelib", SESSION_CACHELIB=self._cache, SESSION_KEY_PREFIX=_PREFIX)
        Session(app)
        self._interface: Any = app.session_interface

    def regenerate(self) -> None:
        """Give the current session a new id."""
        self._interface.regenerate(session)

    def session_id(self) -> str:
        """The id of the current session."""
        return str(session.sid)  # type: ignore[attr-defined]

    def held(self) -> list[HeldSession]:
        """The logged-in sessions in this process's memory."""
        return [
            HeldSession(fingerprint(key.removeprefix(_PREFIX)), data["user"])
            for key, data in self._cache.living()
            if "user" in data
        ]


def session_store(settings: Settings) -> SessionStore:
    """The store that the settings name: this twin has one.

    Raises:
        UsageError: they name another one.
    """
    if settings.store not in {"", "memory"}:
        raise UsageError(
            f"the stateful twin has no session store {settings.store!r}",
            why="it keeps sessions in its own memory",
            next_step="TWINSHOP_STORE=memory, or start stateless_app",
        )
    return MemorySessions(settings)
