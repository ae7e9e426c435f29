"""Scripted watchers of a workshop's dashboard: many event streams in one thread, cut off and resumed now and then.

They read as little of an event as will do (its id and its time), so that they do not cost what is measured.
"""

from __future__ import annotations

import random
import selectors
import socket
import time
from collections.abc import Iterator

_TIME = b'data: {"at_ms":'
CUT_EVERY_S = (10.0, 30.0)
PIECE = 2**18


class Watcher:
    """One browser's stream, over as many connections as it takes."""

    def __init__(self, port: int, cookie: str, chance: random.Random) -> None:
        self.last_id: int | None = None
        self.events = 0
        self.frames = 0
        self.reconnects = -1
        self.gaps: list[tuple[int, int]] = []
        self.pictures = 0
        self.delays_ms: list[float] = []
        self.socket: socket.socket | None = None
        self.cut_at = 0.0
        self._port = port
        self._cookie = cookie
        self._chance = chance
        self._rest = b""
        self._connected_us = 0

    def connect(self) -> socket.socket:
        """Open the stream, or come back to it."""
        seen = "" if self.last_id is None else f"Last-Event-ID: {self.last_id}\r\n"
        self.socket = socket.create_connection(("127.0.0.1", self._port), timeout=10)
        # HTTP/1.0: the answer comes as it is, without the sizes of its pieces
        head = f"GET /events HTTP/1.0\r\nHost: 127.0.0.1:{self._port}\r\nCookie: {self._cookie}\r\n{seen}\r\n"
        self.socket.sendall(head.encode())
        self.socket.setblocking(False)
        self.reconnects += 1
        self._rest = b""
        self._connected_us = time.time_ns() // 1000
        self.cut_at = time.monotonic() + self._chance.uniform(*CUT_EVERY_S)
        return self.socket

    def hang_up(self) -> None:
        """Be cut off."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def read(self, epoch_us: int) -> bool:
        """Take what has come; False: the other side has hung up."""
        assert self.socket is not None
        try:
            piece = self.socket.recv(PIECE)
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        now_us = time.time_ns() // 1000
        *events, self._rest = (self._rest + piece).split(b"\n\n")
        for event in events:
            self._take(event, now_us, epoch_us)
        return bool(piece)

    def _take(self, event: bytes, now_us: int, epoch_us: int) -> None:
        numbered = event.find(b"id: ")
        if numbered < 0 or b"event: " not in event:
            return
        self.events += 1
        number = int(event[numbered + 4 : event.index(b"\n", numbered)])
        name = event[event.index(b"event: ") + 7 :].split(b"\n", 1)[0]
        if name in (b"picture", b"covered") and (self.last_id is None or number != self.last_id + 1):
            self.pictures += 1
        elif self.last_id is not None and number != self.last_id + 1:
            self.gaps.append((self.last_id, number))
        self.last_id = number
        place = event.find(_TIME)
        if name == b"frame" and place >= 0:
            self.frames += 1
            at_us = epoch_us + 1000 * int(event[place + len(_TIME) :].split(b",", 1)[0])
            if at_us > self._connected_us:  # else it was missed, and comes late for that
                self.delays_ms.append((now_us - at_us) / 1000)


class Crowd:
    """All watchers, in this thread."""

    def __init__(self, port: int, cookies: list[str], seed: int = 1) -> None:
        self.watchers = [Watcher(port, cookie, random.Random(f"{seed}/{n}")) for n, cookie in enumerate(cookies)]
        self._selector = selectors.DefaultSelector()

    def come(self) -> None:
        """Everybody opens the page."""
        for watcher in self.watchers:
            self._open(watcher)

    def go(self) -> None:
        """Everybody leaves."""
        for watcher in self.watchers:
            self._close(watcher)

    def watch(self, until: float, epoch_us: int) -> None:
        """Read until that time.monotonic(); some are cut off and come back."""
        while (left := until - time.monotonic()) > 0:
            for key, _ in self._selector.select(min(left, 0.5)):
                if not key.data.read(epoch_us):
                    self._again(key.data)
            for watcher in self._due():
                self._again(watcher)

    def _due(self) -> Iterator[Watcher]:
        now = time.monotonic()
        return (watcher for watcher in self.watchers if watcher.socket is not None and watcher.cut_at < now)

    def _again(self, watcher: Watcher) -> None:
        self._close(watcher)
        self._open(watcher)

    def _open(self, watcher: Watcher) -> None:
        self._selector.register(watcher.connect(), selectors.EVENT_READ, watcher)

    def _close(self, watcher: Watcher) -> None:
        if watcher.socket is not None:
            self._selector.unregister(watcher.socket)
            watcher.hang_up()
