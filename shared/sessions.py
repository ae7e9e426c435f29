"""The contract of a session store: the one thing in which the twins differ.

A twin's `sessions.py` has one function, `session_store(settings) -> SessionStore`. `shared.shop.app.create_shop`
asks the store to `install` itself on the Flask app, and from then on the shop only uses `flask.session`.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from flask import Flask


class HeldSession(msgspec.Struct, frozen=True):
    """One logged-in session that a node holds in its own memory."""

    session: str
    """The first 12 hex digits of the SHA-256 of the session id: enough to tell sessions apart, useless to steal one."""
    user: str


def fingerprint(session_id: str) -> str:
    """A name for a session that tells it apart from others and cannot be used to steal it."""
    return hashlib.sha256(session_id.encode()).hexdigest()[:12]


class SessionStore(Protocol):
    """Where a shop keeps its sessions."""

    kind: str
    """`memory`, `token` or `redis`."""
    where: str
    """For a person, on every page: "in the memory of this node", "in your cookie, signed", "in Redis"."""
    outages: tuple[type[Exception], ...]
    """What it raises when it cannot be reached: the shop answers such requests with 503 `store_unavailable`."""

    def install(self, app: Flask) -> None:
        """Make `flask.session` live in this store."""

    def regenerate(self) -> None:
        """Give the current session a new id (at login, against session fixation). No-op where there is no id."""

    def session_id(self) -> str:
        """The id of the current session, or "" where sessions have none. A secret: log only its `fingerprint`."""

    def held(self) -> list[HeldSession]:
        """The logged-in sessions in *this process's* memory: empty for stores outside of it. O(sessions)."""
