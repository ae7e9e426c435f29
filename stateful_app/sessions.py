"""Sessions in the memory of the node: Flask-Session over cachelib. They are gone when the process is gone."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from cachelib import SimpleCache
from flask import request, session
from flask_session import Session

from shared.errors import UsageError
from shared.sessions import HeldSession, Injection, ListingStore, SessionLocks, SessionStore, fingerprint
from shared.shop.answers import store_unavailable
from shared.shop.session_format import FORMATS

if TYPE_CHECKING:
    from datetime import timedelta

    from flask import Flask

    from shared.shop.settings import Settings

_PREFIX = "session:"


class SessionCache(SimpleCache):
    """cachelib's in-memory cache, which can also say what it holds, shrink, and be told that its clock is wrong."""

    ahead_s = 0

    def now(self) -> float:
        """The time, as this cache takes it to be."""
        return time.time() + self.ahead_s

    # cachelib asks the system for the time in each of these three.

    def get(self, key: str) -> Any:
        """What is kept under that key; None if nothing is, or if its time is over."""
        with self._lock:
            expires, value = self._cache.get(key, (0, None))
            return self.serializer.loads(value) if value is not None and expires > self.now() else None

    def _normalize_timeout(self, timeout: int | timedelta | None) -> int:
        return int(super()._normalize_timeout(timeout)) + self.ahead_s

    def _remove_expired(self, now: float) -> None:
        super()._remove_expired(now + self.ahead_s)

    def hold_at_most(self, sessions: int) -> None:
        """Keep so many at the most from now on: beyond it, the longest untouched go."""
        with self._lock:
            # The cache makes room only before it adds, so it can hold one more than its threshold.
            self._threshold = sessions - 1
            # All have one lifetime, so the first that would be over is the longest untouched.
            by_age = sorted(self._cache, key=lambda key: self._cache[key][0])
            for key in by_age[: max(0, len(by_age) - sessions)]:
                del self._cache[key]

    def living(self) -> list[tuple[str, dict[str, Any]]]:
        """Everything that has not expired, by key."""
        now = self.now()
        with self._lock:
            packed = [(key, value) for key, (expires, value) in self._cache.items() if expires == 0 or expires > now]
        return [(key, self.serializer.loads(value)) for key, value in packed]


class MemorySessions(ListingStore):
    """The store."""

    kind = "memory"
    where = "in the memory of this node"

    def __init__(self, settings: Settings) -> None:
        self._cap = settings.session_cap
        self._cookie = settings.cookie_name
        self._format = FORMATS[settings.session_format]
        self._cache = self._cache_of(settings)
        self._locks = SessionLocks()

    def _cache_of(self, settings: Settings) -> Any:
        """Where they are kept."""
        cache = SessionCache(default_timeout=settings.session_lifetime_s)
        cache.hold_at_most(self._cap)
        return cache

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

    def ids_of(self, user: str) -> list[str]:
        """Of that user's sessions in this node's memory; what other nodes hold is out of reach."""
        living = self._cache.living()
        return [key.removeprefix(_PREFIX) for key, data in living if self._format.user(data) == user]

    def end_ids(self, ids: list[str]) -> int:
        """Forget them."""
        return sum(self._cache.delete(_PREFIX + each) for each in ids)

    def cart_alone(self) -> AbstractContextManager[None]:
        """A lock in this process, which is where the session is."""
        return self._locks.alone(request.cookies.get(self._cookie, ""))

    def apply(self, injection: Injection) -> None:
        """Hold fewer sessions, take another time for the right one."""
        self._cache.hold_at_most(injection.session_cap or self._cap)
        self._cache.ahead_s = injection.clock_ahead_s

    def held(self) -> list[HeldSession]:
        """The logged-in sessions in this process's memory."""
        return [
            HeldSession(fingerprint(key.removeprefix(_PREFIX)), user)
            for key, data in self._cache.living()
            if (user := self._format.user(data))
        ]


class ReplicatedSessions(MemorySessions):
    """Every node keeps all sessions in its memory and tells the others of each change."""

    kind = "replicated"
    where = "in the memory of every node"

    def _cache_of(self, settings: Settings) -> Any:
        # Not loaded by nodes that need it not.
        from shared.replication.state import ReplicatedCache, ReplicatedState, StateUnavailable

        if not settings.replica_self:
            raise UsageError(
                "TWINSHOP_REPLICA_SELF is not set",
                why="the other nodes must be able to tell this one of their sessions",
                next_step="TWINSHOP_REPLICA_SELF=host:port, and the others' in TWINSHOP_REPLICA_PEERS",
            )
        self.outages = (StateUnavailable,)
        self.state = ReplicatedState(
            settings.replica_self,
            [peer for peer in settings.replica_peers.split(",") if peer],
            # Not the signing key: while keys are being changed, nodes differ in it.
            password=settings.control_token or settings.secret_key,
            cap=self._cap,
            timeout_s=settings.store_timeout_s,
            other_port=settings.node_workers > 1,
        )
        return ReplicatedCache(self.state, lifetime_s=settings.session_lifetime_s, owner_of=self._format.user)

    def install(self, app: Flask) -> None:
        """Make `flask.session` live in this store; the node is not healthy before the store is ready."""
        super().install(app)
        app.before_request(self._not_healthy_yet)

    def _not_healthy_yet(self) -> None:
        if request.path == "/healthz" and not self.state.ready():
            raise store_unavailable()  # or the balancer would send shoppers here, for nothing

    def revoke_user(self, user: str) -> None:
        """End that user's sessions on every node, in one change."""
        self.state.delete_owned(user)

    def apply(self, injection: Injection) -> None:
        """Hold fewer sessions than the other nodes do, take another time for the right one."""
        self.state.hold_at_most(injection.session_cap or self._cap)
        self.state.ahead_s = injection.clock_ahead_s

    def reachable(self) -> bool:
        """Whether a change would be taken now: there is a leader, and a majority of the nodes is connected."""
        return self.state.reachable()


def session_store(settings: Settings) -> SessionStore:
    """The store that the settings name: this twin has one.

    Raises:
        UsageError: they name another one.
    """
    if settings.store == "replicated":
        return ReplicatedSessions(settings)
    if settings.store not in {"", "memory"}:
        raise UsageError(
            f"the stateful twin has no session store {settings.store!r}",
            why="it keeps sessions in its own memory",
            next_step="TWINSHOP_STORE=memory, or start stateless_app",
        )
    return MemorySessions(settings)
