"""What is replicated: entries by key, and the changes to them that every node carries out in the same order."""

import threading
import zlib
from collections import OrderedDict

import msgspec

from shared.replication.raft import SyncObjConsumer, replicated

EXPIRED_KEPT_S = 60.0
"""Values are swept this long after their time, so that one node's wrong clock takes nothing away from the others."""


class _Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    value: bytes
    expires: float
    owner: str


_decode_entries = msgspec.msgpack.Decoder(list[tuple[str, _Entry]]).decode


class Entries(SyncObjConsumer):  # type: ignore[misc]
    """The entries. Changes may depend on nothing but their arguments: no clock, no chance, no settings that differ."""

    def __init__(self, cap: int) -> None:
        super().__init__()
        self.cap = cap
        self.lock = threading.Lock()
        self.entries: OrderedDict[str, _Entry] = OrderedDict()
        """The longest untouched first."""

    @replicated  # type: ignore[untyped-decorator]
    def put(self, key: str, value: bytes, expires: float, owner: str, now: float) -> None:
        """Keep it, as the one touched last; what was long over by the writer's clock goes."""
        with self.lock:
            self.entries.pop(key, None)  # or it would keep its old place in the order
            self.entries[key] = _Entry(value, expires, owner)
            self._make_room(now)

    @replicated  # type: ignore[untyped-decorator]
    def drop(self, key: str) -> bool:
        """Drop it; whether it was there."""
        with self.lock:
            return self.entries.pop(key, None) is not None

    @replicated  # type: ignore[untyped-decorator]
    def drop_owned(self, owner: str) -> int:
        """Drop everything with that owner; how many there were."""
        with self.lock:
            keys = [key for key, entry in self.entries.items() if entry.owner == owner]
            for key in keys:
                del self.entries[key]
            return len(keys)

    def hold_at_most(self, cap: int) -> None:
        """The one change that is not replicated: this node's memory is its own."""
        with self.lock:
            self.cap = cap
            self._keep_to_cap()

    def _keep_to_cap(self) -> None:
        while len(self.entries) > self.cap:
            self.entries.popitem(last=False)

    def _make_room(self, now: float) -> None:
        self._keep_to_cap()
        while self.entries:
            oldest = next(iter(self.entries.values()))
            if oldest.expires + EXPIRED_KEPT_S > now:
                break  # all have one lifetime, so what was touched later is over later
            self.entries.popitem(last=False)

    # PySyncObj asks for these when it replaces the log, and when a node comes that needs more than the log still has.

    def _serialize(self) -> dict[str, bytes]:
        with self.lock:
            packed = msgspec.msgpack.encode(list(self.entries.items()))
        return {"entries": zlib.compress(packed, 1)}  # the fastest: all changes wait for the protocol's thread

    def _deserialize(self, data: dict[str, bytes]) -> None:
        pairs = _decode_entries(zlib.decompress(data["entries"]))
        with self.lock:
            self.entries = OrderedDict(pairs)
