"""The picture of a round while it goes on: its folder is read as it grows, and each side is told what is new in it."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from loadtests.model.events import Event
from loadtests.model.history import Exchange, Record
from loadtests.model.results import Loss
from loadtests.model.run_folder import RunFolder
from loadtests.running.console import tell
from loadtests.workshop.contract import SIDES, Frame, Picture, Round, SideFrame, SideName
from loadtests.workshop.live.browser_users import OF_GUESTS, BalancerLine
from loadtests.workshop.live.side import MERGED, SideWatch
from loadtests.workshop.live.tail import RecordTail
from shared.request_log import LogRecord

_events = msgspec.json.Decoder(Event)
_history = msgspec.json.Decoder(Record)
_exchanges = msgspec.json.Decoder(Exchange)
LOGS_OF_GUESTS: dict[str, msgspec.json.Decoder[Any]] = {
    "*.requests.ndjson": msgspec.json.Decoder(LogRecord),
    "access.ndjson": msgspec.json.Decoder(BalancerLine, strict=False),  # its times come as strings of digits
}
NOTHING = SideFrame()


class RoundFiles:
    """The files of one round. `close` it at the end."""

    def __init__(self, folder: Path, sides: Mapping[str, SideWatch]) -> None:
        self._run = RunFolder(folder)
        self._sides = sides
        self._tails: dict[Path, RecordTail[Any]] = {}

    @property
    def behind(self) -> bool:
        """There was more to read than one call takes."""
        return any(tail.behind for tail in self._tails.values())

    @property
    def problems(self) -> tuple[str, ...]:
        """What was skipped because it could not be read, in words."""
        return tuple(problem for tail in self._tails.values() for problem in tail.problems)

    def read(self) -> None:
        """Take in what is new; of each file no more than `loadtests.workshop.live.tail.CHUNK` bytes."""
        for _, event in self._news(self._run.root, self._run.events.name, _events):
            if side := self._sides.get(event.architecture):
                side.hear(event)
        for name, side in self._sides.items():
            logs = self._run.logs(name)
            for path, record in self._news(logs, "history-*.ndjson", _exchanges):
                side.recorded(record, path.name)
            if side.guests:
                for pattern, decoder in LOGS_OF_GUESTS.items():
                    for _, line in self._news(logs, pattern, decoder, OF_GUESTS):
                        side.logged(line)
        for _, record in self._news(self._run.root, MERGED, _history):
            if side := self._sides.get(record.architecture):
                side.recorded(record, MERGED)

    def close(self) -> None:
        """Let go of the files. Safe to repeat."""
        for tail in self._tails.values():
            tail.close()

    def _news(
        self, folder: Path, pattern: str, decoder: msgspec.json.Decoder[Any], only: re.Pattern[bytes] | None = None
    ) -> Iterator[tuple[Path, Any]]:
        """The new records of the files of that name, each with its file."""
        for path in folder.glob(pattern):  # again and again: load processes and nodes make theirs later
            self._tails.setdefault(path, RecordTail(path, decoder, only))
        for path, tail in self._tails.items():  # those that have been deleted, too: there may be more in them
            if path.parent == folder and path.match(pattern):
                yield from ((path, record) for record in tail.records())


class LivePicture:
    """Reads the folder of one round. Whoever owns it calls `advance`, some four times a second, and `close`.

    It starts at the beginning of the files, whenever it is made, so that a dashboard may be started again within a
    round; then what was missed comes in few large frames.
    """

    def __init__(self, the_round: Round) -> None:
        self._round = the_round
        self._sides: dict[SideName, SideWatch] = {
            side.side: SideWatch(side, the_round.shoppers) for side in the_round.sides
        }
        self._evidence = RoundFiles(
            Path(the_round.folder),
            {side.architecture: self._sides[side.side] for side in the_round.sides},
        )
        self._at_ms = 0
        self._told: set[str] = set()

    @property
    def problems(self) -> tuple[str, ...]:
        """Lines that could not be read and were skipped, and checks that crashed, in words."""
        crashed = (
            f"the check {kind!r} crashed: {what}"
            for side in self._sides.values()
            for kind, what in side.crashed.items()
        )
        return (*self._evidence.problems, *crashed)

    def advance(self, now_us: int, *, over: bool = False) -> Frame | None:
        """Read on; what has changed, or None.

        `now_us`: wall clock, microseconds since 1970. `over`: the round is closed, and nothing is written any more;
        then everything is read at once, and the orders in the database are compared with what was promised.
        """
        self._evidence.read()
        while over and self._evidence.behind:
            self._evidence.read()
        self._tell_problems()
        times_us = {name: self._since_zero_us(side, now_us) for name, side in self._sides.items()}
        changes = {name: side.advance(times_us[name], over=over) for name, side in self._sides.items()}
        left, right = (changes.get(name, NOTHING) for name in SIDES)
        if left == NOTHING and right == NOTHING:
            return None
        self._at_ms = max(self._at_ms, *(time_us // 1000 for time_us in times_us.values()))
        return Frame(self._at_ms, left, right)

    def picture(self) -> Picture:
        """What all frames so far come to."""
        left, right = (self._sides[name].picture() if name in self._sides else NOTHING for name in SIDES)
        return Picture(self._round.number, self._at_ms, left, right)

    def loss(self, side: SideName, number: int) -> Loss | None:
        """That loss, with its witness; None if there is none."""
        watch = self._sides.get(side)
        return None if watch is None else watch.loss(number)

    def close(self) -> None:
        """Let go of the files. Safe to repeat."""
        self._evidence.close()

    def _tell_problems(self) -> None:
        for problem in self.problems:
            if problem not in self._told:  # nobody who watches could see that a line or a check is missing
                self._told.add(problem)
                tell(f"dashboard: {self._round.folder}: {problem}", err=True)

    def _since_zero_us(self, side: SideWatch, now_us: int) -> int:
        zero_us = self._round.epoch_us or side.epoch_us
        return now_us - zero_us if zero_us else 0
