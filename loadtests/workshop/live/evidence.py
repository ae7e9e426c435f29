"""Reads a round's folder as it grows, and tells each side what is new in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from loadtests.model.events import Event
from loadtests.model.history import Exchange, Record
from loadtests.model.run_folder import RunFolder
from loadtests.workshop.live.guests import OF_GUESTS, BalancerLine
from loadtests.workshop.live.side import MERGED, SideWatch
from loadtests.workshop.live.tail import RecordTail
from shared.request_log import LogRecord

_events = msgspec.json.Decoder(Event)
_history = msgspec.json.Decoder(Record)
_exchanges = msgspec.json.Decoder(Exchange)
request_decoder = msgspec.json.Decoder(LogRecord)
balancer_decoder = msgspec.json.Decoder(BalancerLine, strict=False)  # its times come as strings of digits
REQUEST_LOGS = "*.requests.ndjson"
ACCESS_LOG = "access.ndjson"


class Evidence:
    """The files of one round. `close` it at the end."""

    def __init__(self, folder: Path, sides: Mapping[str, SideWatch]) -> None:
        run = RunFolder(folder)
        self._sides = dict(sides)
        self._logs = {name: run.logs(name) for name in sides}
        self._events: RecordTail[Any] = RecordTail(run.events, _events)
        self._history: RecordTail[Any] = RecordTail(run.history, _history)
        self._load: dict[Path, RecordTail[Any]] = {}
        self._guests: dict[Path, RecordTail[Any]] = {}

    @property
    def behind(self) -> bool:
        """There was more to read than one call takes."""
        return any(tail.behind for tail in self._tails())

    @property
    def problems(self) -> tuple[str, ...]:
        """What was skipped because it could not be read, in words."""
        return tuple(problem for tail in self._tails() for problem in tail.problems)

    def read(self) -> None:
        """Take in what is new; of each file no more than `loadtests.workshop.live.tail.CHUNK` bytes."""
        for event in self._events.records():
            if side := self._sides.get(event.architecture):
                side.hear(event)
        for name, side in self._sides.items():
            self._read_load(name, side)
            self._read_guests(name, side)
        for record in self._history.records():
            if side := self._sides.get(record.architecture):
                side.told(record, MERGED)

    def close(self) -> None:
        """Let go of the files. Safe to repeat."""
        for tail in self._tails():
            tail.close()

    def _tails(self) -> list[RecordTail[Any]]:
        return [self._events, self._history, *self._load.values(), *self._guests.values()]

    def _read_load(self, name: str, side: SideWatch) -> None:
        for path in self._logs[name].glob("history-*.ndjson"):
            self._load.setdefault(path, RecordTail(path, _exchanges))
        for path, tail in self._load.items():
            if path.parent == self._logs[name]:
                for record in tail.records():
                    side.told(record, path.name)

    def _read_guests(self, name: str, side: SideWatch) -> None:
        if not side.guests:
            return
        logs = self._logs[name]
        self._guests.setdefault(logs / ACCESS_LOG, RecordTail(logs / ACCESS_LOG, balancer_decoder, OF_GUESTS))
        for path in logs.glob(REQUEST_LOGS):
            self._guests.setdefault(path, RecordTail(path, request_decoder, OF_GUESTS))
        for path, tail in self._guests.items():
            if path.parent == logs:
                for line in tail.records():
                    side.logged(line)
