"""Reads server-sent events as a browser does, and holds them against the contract as they come."""

from __future__ import annotations

import msgspec

from loadtests.workshop.contract import Frame, Picture, Workshop, applied


class Covered(msgspec.Struct, forbid_unknown_fields=True):
    """No more than the time."""

    at_ms: int


class Reader:
    """One browser's page, over as many connections as it takes."""

    def __init__(self) -> None:
        self.last_id: int | None = None
        self.ids: list[int] = []
        """Of events that were in the sequence; a snapshot's id is not one of them."""
        self.names: list[str] = []
        self.workshop: Workshop | None = None
        self.picture: Picture | None = None
        self.gaps: list[tuple[int, int]] = []
        self._rest = b""

    def reconnected(self) -> None:
        """What was cut off in the middle is forgotten."""
        self._rest = b""

    def feed(self, piece: bytes) -> None:
        """The next bytes, cut anywhere."""
        *events, self._rest = (self._rest + piece).split(b"\n\n")
        for event in events:
            fields = dict(line.split(b": ", 1) for line in event.split(b"\n") if not line.startswith(b":"))
            if b"event" in fields:
                number = int(fields[b"id"]) if b"id" in fields else None
                self._take(fields[b"event"].decode(), number, fields[b"data"])

    def _take(self, name: str, number: int | None, data: bytes) -> None:
        self.names.append(name)
        self._number(name, number)
        if name == "workshop":
            self.workshop = msgspec.json.decode(data, type=Workshop)
        elif name == "picture":
            self.picture = msgspec.json.decode(data, type=Picture)
        elif name == "frame":
            assert self.picture is not None, "a frame before any picture"
            self.picture = applied(self.picture, msgspec.json.decode(data, type=Frame))
        else:
            msgspec.json.decode(data, type=Covered)
            self.picture = None

    def _number(self, name: str, number: int | None) -> None:
        if number is None:
            assert name == "workshop", f"a {name} without an id"
            return
        if self.last_id is not None and number != self.last_id + 1 and name not in ("picture", "covered"):
            self.gaps.append((self.last_id, number))
        if self.last_id is None or number > self.last_id:
            self.ids.append(number)
        self.last_id = number
