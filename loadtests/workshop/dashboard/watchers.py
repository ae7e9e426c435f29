"""Everybody who watches: a bounded queue each. Who does not read is dropped, and resumes with `Last-Event-ID`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gevent import getcurrent
from gevent.queue import Empty, Full, Queue

from loadtests.workshop.dashboard.refusals import Refusal

QUEUE_EVENTS = 240
"""A minute of events. Before it fills, the system's own buffers have filled as well."""
HEARTBEAT_S = 10.0
HEARTBEAT = b": here\n\n"
HELLO = b"retry: 1000\n"
"""For a browser: come back after a second."""
PIECE_EVENTS = 64
RETRY_AFTER_S = 10


class Watcher:
    """One open stream, in the greenlet that made it."""

    def __init__(self, who: str, backlog: Sequence[bytes]) -> None:
        self.who = who
        self.dropped = False
        self._backlog = backlog
        self._queue: Queue[bytes] = Queue(QUEUE_EVENTS)
        self._greenlet = getcurrent()

    def offer(self, event: bytes) -> bool:
        """Have it sent; False: they have not read for so long that it cannot be kept for them."""
        try:
            self._queue.put_nowait(event)
        except Full:
            return False
        return True

    def end(self) -> None:
        """End the stream, wherever it hangs."""
        self.dropped = True
        self._greenlet.kill(block=False)

    def pieces(self) -> Iterator[bytes]:
        """What is sent, piece by piece; it waits for more, for ever."""
        yield HELLO
        for place in range(0, len(self._backlog), PIECE_EVENTS):
            yield b"".join(self._backlog[place : place + PIECE_EVENTS])
        self._backlog = ()
        while not self.dropped:
            try:
                yield self._queue.get(timeout=HEARTBEAT_S)
            except Empty:
                yield HEARTBEAT


class Watchers:
    """All of them, at most so many."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._all: dict[Watcher, None] = {}

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Watcher]:
        return iter(tuple(self._all))

    def admit(self, who: str, backlog: Sequence[bytes]) -> Watcher:
        """One more. `backlog` is sent first; nothing may happen between its making and this.

        Where there is no room, whoever comes back takes their own place: that they have gone is seen only when
        something cannot be sent to them.

        Raises:
            Refusal: there is no room.
        """
        if len(self._all) >= self.most:
            self._drop_one_of(who)
        if len(self._all) >= self.most:
            raise Refusal(
                503, f"{self.most} people watch already",
                why="more would disturb what is measured",
                next_step="look over somebody's shoulder, or try again when somebody has left",
                retry_after=RETRY_AFTER_S,
            )  # fmt: skip
        watcher = Watcher(who, backlog)
        self._all[watcher] = None
        return watcher

    def leave(self, watcher: Watcher) -> None:
        """They are gone. Safe to repeat."""
        self._all.pop(watcher, None)

    def _drop_one_of(self, who: str) -> None:
        oldest = next((watcher for watcher in self._all if watcher.who == who), None)
        if oldest is not None:
            self.drop(oldest)

    def drop(self, watcher: Watcher) -> None:
        """They do not read: end their stream."""
        self.leave(watcher)
        watcher.end()
