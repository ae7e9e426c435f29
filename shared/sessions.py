"""The contract of a session store: the one thing in which the twins differ.

A twin's `sessions.py` has one function, `session_store(settings) -> SessionStore`. `shared.shop.app.create_shop`
asks the store to `install` itself on the Flask app, and from then on the shop only uses `flask.session`.
"""

from __future__ import annotations

import hashlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Literal
from weakref import WeakValueDictionary

import msgspec

if TYPE_CHECKING:
    from flask import Flask

MOST_DELAY_MS = 60_000


class Injection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that can be injected into a living node, as `PUT /-/trouble` has it; without arguments: nothing."""

    delay_ms: int = 0
    """Every answer takes that much longer."""
    errors: Literal["none", "instead", "afterwards"] = "none"
    """instead: 500, and nothing is done; afterwards: all is done and saved, and the answer is 500 all the same."""
    session_cap: int = 0
    """The most sessions it keeps in its memory from now on; 0: as it was started."""
    clock_ahead_s: int = 0
    """How far its clock is ahead, as far as sessions read it; behind, if negative."""
    dies_before_saving: bool = False
    """Its process is gone as soon as it has committed an order, before the session is saved and anybody is answered."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if not 0 <= self.delay_ms <= MOST_DELAY_MS:
            raise ValueError(f"expected a delay of 0 to {MOST_DELAY_MS} ms")
        if self.session_cap < 0:
            raise ValueError("expected a cap of at least 1 session, or 0 for none of its own")


class HeldSession(msgspec.Struct, frozen=True):
    """One logged-in session that a node holds in its own memory."""

    session: str
    """The first 12 hex digits of the SHA-256 of the session id: enough to tell sessions apart, useless to steal one."""
    user: str


class OpenSession(msgspec.Struct, frozen=True):
    """One of a user's own sessions, as the user sees it."""

    session: str
    """Its fingerprint."""
    current: bool
    """It is the one that asks."""


def fingerprint(session_id: str) -> str:
    """A name for a session that tells it apart from others and cannot be used to steal it."""
    # 48 bits: that two of 100,000 sessions share a name happens once in 50,000 times.
    return hashlib.sha256(session_id.encode()).hexdigest()[:12]


CART_WAIT_S = 2.0
"""How long a cart write waits for another one of the same session: less than the balancer waits for the node."""
CART_HELD_S = 10.0
"""A lock in a store ends by itself after that: its holder may have been killed."""


class CartBusy(Exception):
    """Another write of the same cart took too long to wait for."""


class SessionStore(ABC):
    """Where a shop keeps its sessions."""

    kind: str
    """`memory`, `replicated`, `token`, `denylist`, `redis`, `refresh` or `refresh-database`."""
    where: str
    """For a person, on every page: "in the memory of this node", "in your cookie, signed", "in Redis"."""
    outages: tuple[type[Exception], ...] = ()
    """What it raises when it cannot be reached: the shop answers such requests with 503 `store_unavailable`."""

    @abstractmethod
    def install(self, app: Flask) -> None:
        """Make `flask.session` live in this store."""

    def regenerate(self) -> None:  # noqa: B027 - where there is no id, nothing is to be done
        """Give the current session a new id (at login, against session fixation). No-op where there is no id."""

    def opened(self, user: str) -> None:  # noqa: B027 - most stores need not know
        """A login just made the current session this user's, under the id that it will keep."""

    def session_id(self) -> str:
        """The id of the current session, or "" where sessions have none. A secret: log only its `fingerprint`."""
        return ""

    def revoke_user(self, user: str) -> None:  # noqa: B027 - tokens cannot
        """End every session of that user that can be ended from here; the current one is ended by the shop itself."""

    def sessions_of(self, user: str) -> list[OpenSession] | None:
        """That user's sessions, as far as this store can tell; None where nobody keeps a list of them."""
        return None

    def end_session(self, user: str, name: str) -> bool:
        """End the one of that fingerprint; False: that user has none such here."""
        return False

    def revoke_others(self, user: str) -> bool:
        """End every session of that user but the current one; False: this store cannot."""
        return False

    def cart_alone(self) -> AbstractContextManager[None]:
        """Entered before the session of a cart write is read, left after it was saved: nobody else writes it meanwhile.

        Who it is about stands in the request's cookie. The default, for stores that cannot, keeps nobody out.

        Raises:
            CartBusy: it took too long.
        """
        return nullcontext()

    def reachable(self) -> bool:
        """Whether it answers, within its own timeout; for health checks."""
        return True

    def apply(self, injection: Injection) -> None:  # noqa: B027 - not all of it concerns every store
        """Take over what of it concerns sessions: how many may be held in memory, and what time it is."""

    def held(self) -> list[HeldSession]:
        """The logged-in sessions in *this process's* memory: empty for stores outside of it. O(sessions)."""
        return []


class ListingStore(SessionStore):
    """A store that can tell which sessions a user has, and end each of them by its id."""

    @abstractmethod
    def ids_of(self, user: str) -> list[str]:
        """The ids of that user's sessions, as far as this store can tell."""

    @abstractmethod
    def end_ids(self, ids: list[str]) -> int:
        """End them; how many of them there were."""

    def revoke_user(self, user: str) -> None:
        """End those that it can tell."""
        self.end_ids(self.ids_of(user))

    def sessions_of(self, user: str) -> list[OpenSession]:
        """Those that it can tell."""
        own = self.session_id()
        return [OpenSession(fingerprint(each), each == own) for each in self.ids_of(user)]

    def end_session(self, user: str, name: str) -> bool:
        """End it, if it is one that it can tell."""
        return self.end_ids([each for each in self.ids_of(user) if fingerprint(each) == name]) > 0

    def revoke_others(self, user: str) -> bool:
        """End the others that it can tell."""
        own = self.session_id()
        self.end_ids([each for each in self.ids_of(user) if each != own])
        return True


class SessionLocks:
    """A lock for each session that somebody holds or waits for; the others are forgotten by themselves."""

    def __init__(self, wait_s: float = CART_WAIT_S) -> None:
        self._wait_s = wait_s
        self._locks: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
        self._looking = threading.Lock()

    def __len__(self) -> int:
        return len(self._locks)

    @contextmanager
    def alone(self, session_id: str) -> Iterator[None]:
        """Nobody else is inside for that session.

        Raises:
            CartBusy: somebody was, for too long.
        """
        # Looked up and made under one lock: two that come at once for a session must find the same one.
        with self._looking:
            lock = self._locks.get(session_id)
            if lock is None:
                # Held by this name as well: the dictionary forgets what nobody else holds.
                lock = self._locks[session_id] = threading.Lock()
        if not lock.acquire(timeout=self._wait_s):
            raise CartBusy(f"another write of this cart took longer than {self._wait_s:g} s")
        try:
            yield
        finally:
            lock.release()
