"""Locks by session, within one process: for stores whose sessions are in its memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakValueDictionary

from shared.sessions import CART_WAIT_S, CartBusy


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
        with self._looking:
            lock = self._locks.get(session_id)
            if lock is None:
                lock = self._locks[session_id] = threading.Lock()
        if not lock.acquire(timeout=self._wait_s):
            raise CartBusy(f"another write of this cart took longer than {self._wait_s:g} s")
        try:
            yield
        finally:
            lock.release()
