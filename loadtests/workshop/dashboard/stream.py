"""The sequence of events that watchers are sent: numbered without a gap, encoded once for all, the round's ones kept.

Ids go on where an earlier dashboard of the same workshop cannot have been: a watcher that comes back to one which was
started anew is never taken for one of its own.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable

import msgspec

MOST_BYTES = 32 * 2**20
"""Of all kept events of a round. Beyond it the oldest go, and are remembered as one frame that they come to."""
IDS_PER_S = 4_000_000
"""Several times what events can be made in a second, even of a round that is caught up with. A browser's numbers are
exact up to 2**53: such ids until the year 2041."""


class Event(msgspec.Struct, frozen=True):
    """One event, as bytes for the wire, in its two forms."""

    id: int
    name: str
    data: bytes
    """JSON."""
    open: bytes
    covered: bytes


class Base(msgspec.Struct, frozen=True):
    """What all frames up to an id come to, as one frame (JSON)."""

    id: int
    frame: bytes


class EventStream:
    """All events of the present round, oldest first. Never yields to another greenlet."""

    def __init__(self, first_id: int | None = None, most_bytes: int = MOST_BYTES) -> None:
        self.last_id = (int(time.time() * IDS_PER_S) if first_id is None else first_id) - 1
        self._most_bytes = most_bytes
        self._kept: deque[Event] = deque()
        self._bytes = 0
        self._bases: deque[Base] = deque()
        self._base: Base | None = None
        self._frames: tuple[int, bytes] | None = None

    def begin_round(self) -> None:
        """Forget everything but the number of the last event."""
        self._kept.clear()
        self._bases.clear()
        self._bytes, self._base, self._frames = 0, None, None

    def append(self, name: str, data: bytes, covered_as: str, covered: bytes) -> Event:
        """The next event."""
        self.last_id += 1
        event = Event(self.last_id, name, data, wire(name, data, self.last_id), wire(covered_as, covered, self.last_id))
        self._kept.append(event)
        self._bytes += len(event.data)
        self._forget()
        return event

    def remember(self, frame: bytes) -> None:
        """What all frames so far come to, as one frame; call it now and then, so that old ones can be forgotten."""
        self._bases.append(Base(self.last_id, frame))

    def since(self, seen: int) -> tuple[Event, ...] | None:
        """All events after that one; None if they are not all there, or if that one was never sent."""
        if not self.last_id - len(self._kept) <= seen <= self.last_id:
            return None
        missing = self.last_id - seen
        return tuple(self._kept[place] for place in range(len(self._kept) - missing, len(self._kept)))

    def frames(self) -> bytes:
        """All frames of the round, as a JSON array; made once for all who ask at the same time."""
        if self._frames is None or self._frames[0] != self.last_id:
            self._frames = self.last_id, self._all_frames()
        return self._frames[1]

    def _all_frames(self) -> bytes:
        first = [_numbered(self._base.id, self._base.frame)] if self._base else []
        return b"[" + b",".join([*first, *_numbered_frames(self._kept)]) + b"]"

    def _forget(self) -> None:
        while self._bytes > self._most_bytes and self._bases:
            base = self._base = self._bases.popleft()
            while self._kept and self._kept[0].id <= base.id:
                self._bytes -= len(self._kept.popleft().data)


def wire(name: str, data: bytes, number: int | None = None) -> bytes:
    """One server-sent event. JSON has no line breaks, so one line of data is enough."""
    numbered = b"" if number is None else b"id: %d\n" % number
    return b"%sevent: %s\ndata: %s\n\n" % (numbered, name.encode(), data)


def _numbered_frames(events: Iterable[Event]) -> Iterable[bytes]:
    return (_numbered(event.id, event.data) for event in events if event.name == "frame")


def _numbered(number: int, frame: bytes) -> bytes:
    return b'{"id":%d,"frame":%s}' % (number, frame)
