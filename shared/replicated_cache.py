"""A cachelib cache whose values every node has: what Flask-Session needs to keep sessions in a `ReplicatedState`."""

from __future__ import annotations

from typing import Any

import msgspec
from cachelib.base import BaseCache

from shared.replicated_state import ReplicatedState


class ReplicatedCache(BaseCache):
    """Holds dictionaries of plain values; the `user` in one owns it.

    All of it raises `StateUnavailable` where its state does.
    """

    def __init__(self, state: ReplicatedState, *, lifetime_s: int) -> None:
        super().__init__(lifetime_s)
        self.state = state

    def get(self, key: str) -> Any:
        """What is kept under that key; None if nothing is, or if its time is over."""
        packed = self.state.get(key)
        return None if packed is None else msgspec.msgpack.decode(packed)

    def set(self, key: str, value: Any, timeout: Any = None) -> bool:
        """Keep it on every node."""
        self.state.set(
            key,
            msgspec.msgpack.encode(value),
            lifetime_s=self._normalize_timeout(timeout),
            owner=value.get("user", ""),
        )
        return True

    def delete(self, key: str) -> bool:
        """Drop it from every node. What this node does not have is not asked for: ids are random, nobody has them."""
        return self.state.has(key) and self.state.delete(key)

    def has(self, key: str) -> bool:
        """Whether it is kept, and its time is not over."""
        return self.state.get(key) is not None

    def living(self) -> list[tuple[str, dict[str, Any]]]:
        """Everything that has not expired, by key: O(values)."""
        return [(key, msgspec.msgpack.decode(packed)) for key, packed in self.state.items()]
