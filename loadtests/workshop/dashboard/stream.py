"""The sequence of events, numbered without a gap and encoded once for all; and everybody who watches them.

Ids go on where an earlier dashboard of the same workshop cannot have been: who comes back to one which was
started anew is never taken for one of its own. Each has a bounded queue: who does not read is dropped, and resumes with
`Last-Event-ID`.
"""

import time
from collections import deque
from collections.abc import Iterator, Sequence

import msgspec
from gevent import getcurrent
from gevent.queue import Empty, Full, Queue

from loadtests.workshop.dashboard.refusals import Refusal

MOST_BYTES = 32 * 2**20  # of all kept events of a round; the oldest go, and are remembered as one frame they come to
# Several times what events can be made in a second, even of a round that is caught up with. A browser's numbers are
# exact up to 2**53: such ids until the year 2041.
IDS_PER_S = 4_000_000
QUEUE_EVENTS = 240  # a minute of events; before it fills, the system's own buffers have filled as well
HEARTBEAT_S = 10.0
HEARTBEAT = b": here\n\n"
HELLO = b"retry: 1000\n"  # for a browser: come back after a second
PIECE_EVENTS = 64
RETRY_AFTER_S = 10
MOST_OF_ONE = 2  # streams of one person


class SentEvent(msgspec.Struct, frozen=True):
    """One event, as bytes for the wire, in its two forms."""

    id: int
    name: str
    data: bytes
    """JSON."""
    open: bytes
    covered: bytes


class FoldedFrames(msgspec.Struct, frozen=True):
    """What all frames up to an id come to, as one frame (JSON)."""

    id: int
    frame: bytes


class EventStream:
    """All events of the present round, oldest first. Never yields to another greenlet."""

    def __init__(self, first_id: int | None = None, most_bytes: int = MOST_BYTES) -> None:
        self.last_id = (int(time.time() * IDS_PER_S) if first_id is None else first_id) - 1
        self._most_bytes = most_bytes
        self._kept: deque[SentEvent] = deque()
        self._bytes = 0
        self._bases: deque[FoldedFrames] = deque()
        self._base: FoldedFrames | None = None
        self._frames: tuple[int, bytes] | None = None

    def begin_round(self) -> None:
        """Forget everything but the number of the last event."""
        self._kept.clear()
        self._bases.clear()
        self._bytes, self._base, self._frames = 0, None, None

    def append(self, name: str, data: bytes, covered_as: str, covered: bytes) -> SentEvent:
        """The next event."""
        self.last_id += 1
        event = SentEvent(
            self.last_id, name, data, wire(name, data, self.last_id), wire(covered_as, covered, self.last_id)
        )
        self._kept.append(event)
        self._bytes += len(event.data)
        self._forget()
        return event

    def remember(self, frame: bytes) -> None:
        """What all frames so far come to, as one frame; call it now and then, so that old ones can be forgotten."""
        self._bases.append(FoldedFrames(self.last_id, frame))

    def since(self, seen: int) -> tuple[SentEvent, ...] | None:
        """All events after that one; None if they are not all there, or if that one was never sent."""
        if not self.last_id - len(self._kept) <= seen <= self.last_id:
            return None
        missing = self.last_id - seen
        return tuple(self._kept[place] for place in range(len(self._kept) - missing, len(self._kept)))

    def frames(self) -> bytes:
        """All frames of the round, as a JSON array."""
        # Kept: a room that loads the page at once is sent the same megabytes, and not a copy for each.
        if self._frames is None or self._frames[0] != self.last_id:
            frames = [_numbered(event.id, event.data) for event in self._kept if event.name == "frame"]
            if self._base:
                frames.insert(0, _numbered(self._base.id, self._base.frame))
            self._frames = self.last_id, b"[" + b",".join(frames) + b"]"
        return self._frames[1]

    def _forget(self) -> None:
        while self._bytes > self._most_bytes and self._bases:
            # Only up to a frame that is remembered: what is left must follow on something known.
            base = self._base = self._bases.popleft()
            while self._kept and self._kept[0].id <= base.id:
                self._bytes -= len(self._kept.popleft().data)


def wire(name: str, data: bytes, number: int | None = None) -> bytes:
    """One server-sent event. JSON has no line breaks, so one line of data is enough."""
    numbered = b"" if number is None else b"id: %d\n" % number
    return b"%sevent: %s\ndata: %s\n\n" % (numbered, name.encode(), data)


def _numbered(number: int, frame: bytes) -> bytes:
    return b'{"id":%d,"frame":%s}' % (number, frame)


class Subscriber:
    """One open stream, in the greenlet that made it."""

    def __init__(self, who: str, backlog: Sequence[bytes]) -> None:
        self.who = who
        self.dropped = False
        self._backlog = backlog
        self.queue: Queue[bytes] = Queue(QUEUE_EVENTS)
        """What is still to be sent."""
        self._greenlet = getcurrent()

    def end(self) -> None:
        """End the stream, wherever it hangs."""
        self.dropped = True
        self._greenlet.kill(block=False)  # it may hang in a write, where no flag is looked at

    def pieces(self) -> Iterator[bytes]:
        """What is sent, piece by piece; it waits for more, for ever."""
        yield HELLO
        for place in range(0, len(self._backlog), PIECE_EVENTS):
            yield b"".join(self._backlog[place : place + PIECE_EVENTS])
        self._backlog = ()  # a picture is large, and a stream stays open for hours
        while not self.dropped:
            try:
                yield self.queue.get(timeout=HEARTBEAT_S)
            except Empty:
                yield HEARTBEAT


class Subscribers:
    """All of them, at most so many."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._all: dict[Subscriber, None] = {}

    def __iter__(self) -> Iterator[Subscriber]:
        return iter(tuple(self._all))  # of a copy: whoever does not read is dropped while all are told

    def admit(self, who: str, backlog: Sequence[bytes]) -> Subscriber:
        """One more. `backlog` is sent first; nothing may happen between its making and this.

        Whoever comes back takes their own place, and has no more than two: that they have gone is seen only when
        something cannot be sent to them.

        Raises:
            Refusal: there is no room.
        """
        theirs = [subscriber for subscriber in self._all if subscriber.who == who]
        if theirs and (len(theirs) >= MOST_OF_ONE or len(self._all) >= self.most):
            self.drop(theirs[0])
        if len(self._all) >= self.most:
            raise Refusal(
                503, f"{self.most} people watch already",
                why="more would disturb what is measured",
                next_step="look over somebody's shoulder, or try again when somebody has left",
                retry_after=RETRY_AFTER_S,
            )  # fmt: skip
        subscriber = Subscriber(who, backlog)
        self._all[subscriber] = None
        return subscriber

    def offer(self, subscriber: Subscriber, event: bytes) -> None:
        """Have it sent; whoever does not read is dropped."""
        try:
            subscriber.queue.put_nowait(event)
        except Full:
            self.drop(subscriber)

    def leave(self, subscriber: Subscriber) -> None:
        """They are gone. Safe to repeat."""
        self._all.pop(subscriber, None)

    def drop(self, subscriber: Subscriber) -> None:
        """They do not read: end their stream."""
        self.leave(subscriber)
        subscriber.end()
