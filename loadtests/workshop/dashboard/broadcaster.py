"""The one greenlet that looks at the workshop and tells all who watch what has changed; and what they may be shown.

Who commits a prediction sees, and who only watches learns no more than who never came. It is decided here and nowhere
else; every answer that could tell a result asks.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import gevent
import msgspec
from msgspec.structs import replace

from loadtests.model.results import Loss
from loadtests.running.console import tell
from loadtests.workshop.contract import (
    Frame,
    Participant,
    Phase,
    Picture,
    Round,
    SideName,
    Workshop,
    empty_picture,
    read_workshop,
)
from loadtests.workshop.dashboard.predictions import PredictionsBook, Write
from loadtests.workshop.dashboard.seats import Seats
from loadtests.workshop.dashboard.stream import EventStream, SentEvent, Subscribers, wire
from loadtests.workshop.predictions import append_prediction

STEP_US = 250_000  # at most four frames a second
BEFORE: frozenset[Phase] = frozenset({"starting", "predict"})  # nothing has run yet
AFTERWARDS_US = 60_000_000  # after the load window something still comes: the last audit
LOOK_EVERY_S = 0.25
OVER = wire("over", b"{}")  # the last word; nothing comes after it
REMEMBER_EVERY = 240  # frames: a minute at most
FALLEN_BEHIND_STEPS = 8  # two seconds: started anew, or the machine stood still; then people get one picture instead
_encode = msgspec.json.Encoder().encode


def asks_for_predictions(workshop: Workshop) -> bool:
    """Whether this round is one with predictions: an episode, and they were not switched off."""
    return workshop.predict and bool(workshop.round.episode)


def is_covered(workshop: Workshop, committed: bool) -> bool:
    """Whether somebody may not see any result now; `committed`: they have committed a prediction in this round.

    It makes no difference whether they are the instructor.
    """
    return asks_for_predictions(workshop) and (workshop.round.phase in BEFORE or not committed)


def shown(workshop: Workshop, participants: tuple[Participant, ...] = (), *, covered: bool = False) -> Workshop:
    """All but what only the harness needs, and nobody's account; while results are covered, not what is broken."""
    sides = tuple(replace(side, guests=()) for side in workshop.round.sides)
    told = replace(workshop.round, folder="", sides=sides)
    if covered:
        told = replace(told, broken=(), why="")
    return replace(workshop, round=told, participants=participants)


class RoundPicture(Protocol):
    """What the dashboard needs of a picture that grows; `loadtests.workshop.live.picture.LivePicture`."""

    def advance(self, now_us: int, *, over: bool = False) -> Frame | None:
        """What has changed up to then (wall clock); None: nothing. `over`: nothing is written any more."""

    def picture(self) -> Picture:
        """Everything up to the last frame."""

    def loss(self, side: SideName, number: int) -> Loss | None:
        """A loss with its witness; None: there is none of that number."""

    def close(self) -> None:
        """Let go of the files."""


MakeLive = Callable[[Round], RoundPicture]


class ShownRound:
    """One round's picture, moved on in steps of the same length: after a restart they come to much the same frames."""

    def __init__(self, said: Round, make: MakeLive) -> None:
        self.epoch_us = said.epoch_us
        self.live = make(said)
        self._at_us = said.epoch_us
        self._end_us = said.epoch_us + said.window_ms * 1000 + AFTERWARDS_US
        self._ended = False

    def behind(self, now_us: int) -> bool:
        """Whether there is a step to be made up to now."""
        return self._at_us + STEP_US <= now_us and not self._ended

    def step(self, now_us: int) -> Frame | None:
        """One step; None: nothing has changed in it. Long after the round, all of the time up to now is one step."""
        self._at_us = self._at_us + STEP_US if self._at_us < self._end_us else now_us
        return self.live.advance(self._at_us)

    def end(self) -> Frame | None:
        """The round is closed, and nothing more is written: what is left, until it is None. Safe to repeat."""
        frame = None if self._ended else self.live.advance(self._at_us, over=True)
        self._ended = frame is None
        return frame


def now_us() -> int:
    """Wall clock, microseconds since 1970."""
    return time.time_ns() // 1000


class Broadcaster:
    """The present workshop and round, and everybody who watches them."""

    def __init__(
        self, file: Path, subscribers: Subscribers, seats: Seats, make_live: MakeLive, *,
        write: Write = append_prediction, clock_us: Callable[[], int] = now_us,
    ) -> None:  # fmt: skip
        self.seats = seats
        # A seat is not idle while its stream is open: who just looks asks for nothing, for minutes.
        self.seats.watching = lambda who: any(subscriber.who == who for subscriber in subscribers)
        self.workshop: Workshop | None = None
        self.subscribers = subscribers
        self.round: ShownRound | None = None
        self.book: PredictionsBook | None = None
        self.stream = EventStream()
        self._file = file
        self._make_live = make_live
        self._write = write
        self._clock_us = clock_us
        self._opened: dict[str, int] = {}
        self._troubles: dict[str, str] = {}

    # --- what happens

    def run(self) -> None:
        """Look and tell, for ever."""
        while True:
            self.look()
            gevent.sleep(LOOK_EVERY_S)

    def look(self) -> None:
        """Look once. Whatever is wrong is told to the log, once; the next look may find it mended."""
        for step in (self._look_at_file, self._move_on):  # whoever watches sees the round, though its file is damaged
            try:
                step()
            except Exception as error:  # noqa: BLE001 - whatever one look finds, the room goes on watching
                trouble = f"{type(error).__name__}: {error}"  # told once: it comes four times a second
                if trouble != self._troubles.get(step.__name__):
                    self._troubles[step.__name__] = trouble
                    tell(f"dashboard: {trouble}", err=True)

    def _look_at_file(self) -> None:
        workshop = read_workshop(self._file) if self._file.is_file() else None  # there is none yet
        if workshop is not None and (self.workshop is None or workshop.version != self.workshop.version):
            self._workshop_changed(workshop)
        elif self.seats.changed:
            self._publish_workshop()

    def opened(self, who: str) -> None:
        """They have committed a prediction: what was covered is open to them."""
        self._opened[who] = self.stream.last_id
        for subscriber in self.subscribers:
            if subscriber.who == who:
                self.subscribers.offer(subscriber, self.snapshot(self.is_covered(who)))

    def _workshop_changed(self, workshop: Workshop) -> None:
        before, self.workshop = self.workshop, workshop
        another = before is None or before.round.number != workshop.round.number
        if another:
            self._forget_round()
        if self.book is None and workshop.round.folder:  # not from the start: a round has no folder before it stands
            self.book = PredictionsBook(Path(workshop.round.folder), self._write)
        self._publish_workshop()
        if self._begin_picture(workshop) or another or (before and before.round.phase != workshop.round.phase):
            self._publish_picture()

    def _begin_picture(self, workshop: Workshop) -> bool:
        """Whether the round's picture begins now, or anew: somebody shops, or the zero of time is another."""
        said = workshop.round
        if not (said.epoch_us and said.folder and said.sides):
            return False
        if self.round is not None and self.round.epoch_us == said.epoch_us:
            return False
        if self.round is not None:
            self.round.live.close()
        self.round = ShownRound(said, self._make_live)
        return True

    def _forget_round(self) -> None:
        if self.round is not None:
            self.round.live.close()
        self.stream.begin_round()
        self.round, self.book = None, None
        self._opened.clear()

    def _move_on(self) -> None:
        shown_round, now = self.round, self._clock_us()
        if shown_round is None:
            return
        quietly = shown_round.behind(now - FALLEN_BEHIND_STEPS * STEP_US)
        while self.round is shown_round and shown_round.behind(now):
            frame = shown_round.step(now)
            if frame is not None:
                self._publish_frame(shown_round, frame, quietly=quietly)
            if quietly:  # hours may have to be read: whoever asks meanwhile is answered
                gevent.sleep(0)
        if self.round is shown_round and self.workshop is not None and self.workshop.round.phase == "explain":
            # Until nothing is left: a recording gives its frames one by one.
            while (last := shown_round.end()) is not None:
                self._publish_frame(shown_round, last, quietly=quietly)
        if quietly:
            self._publish_picture()

    def tell_the_end(self) -> None:
        """Whoever watches hears that nothing more comes, before they see their connection break."""
        for subscriber in self.subscribers:
            self.subscribers.offer(subscriber, OVER)

    # --- telling

    def _publish_frame(self, shown_round: ShownRound, frame: Frame, *, quietly: bool = False) -> None:
        self._publish("frame", _encode(frame), "covered", _time_only(frame), quietly=quietly)
        if self.stream.last_id % REMEMBER_EVERY == 0:
            picture = shown_round.live.picture()
            self.stream.remember(_encode(Frame(picture.at_ms, picture.left, picture.right)))

    def _publish_workshop(self) -> None:
        if self.workshop is not None:
            self.seats.changed = False
            open_, covered = (_encode(self._shown(covered=covered)) for covered in (False, True))
            self._publish("workshop", open_, "workshop", covered)

    def _shown(self, *, covered: bool) -> Workshop:
        assert self.workshop is not None
        return shown(self.workshop, self.seats.all(), covered=covered)

    def _publish_picture(self) -> None:
        picture = self.picture()
        self._publish("picture", _encode(picture), "covered", _time_only(picture))

    def _publish(self, name: str, data: bytes, covered_as: str, covered: bytes, *, quietly: bool = False) -> None:
        event = self.stream.append(name, data, covered_as, covered)
        if quietly:
            return
        for subscriber in self.subscribers:
            self.subscribers.offer(subscriber, self._form(event, subscriber.who))

    def _form(self, event: SentEvent, who: str) -> bytes:
        return event.covered if self.is_covered(who) else event.open

    # --- asking

    def is_covered(self, who: str) -> bool:
        """Whether they may not see any result now. Without a workshop there is none."""
        return self.workshop is not None and is_covered(self.workshop, self.has_committed(who))

    def has_committed(self, who: str) -> bool:
        """Whether they have committed a prediction in this round."""
        return self.book is not None and self.book.has(who)

    def picture(self) -> Picture:
        """Everything up to the last event."""
        if self.round is not None:
            return self.round.live.picture()
        return empty_picture(self.workshop.round.number if self.workshop else 0)

    def backlog(self, who: str, seen: int | None) -> list[bytes]:
        """What somebody is sent first who has seen everything up to that event; None: nothing."""
        # What they were sent before they committed was covered: they need the picture, even if no event is missing.
        missed = self.stream.since(seen) if seen is not None and seen > self._opened.get(who, -1) else None
        if missed is None:
            return [self.snapshot(self.is_covered(who))]
        return [self._form(event, who) for event in missed]

    def snapshot(self, covered: bool) -> bytes:
        """The workshop and the picture as they are: the picture has the newest event's id, the workshop none."""
        picture, number = self.picture(), self.stream.last_id
        said = b""
        if self.workshop is not None:
            said = wire("workshop", _encode(self._shown(covered=covered)))
        if covered:
            return said + wire("covered", _time_only(picture), number)
        return said + wire("picture", _encode(picture), number)


def _time_only(moment: Frame | Picture) -> bytes:
    return _encode({"at_ms": moment.at_ms})
