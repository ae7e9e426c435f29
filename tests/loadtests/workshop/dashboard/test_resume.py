"""Wherever a connection is cut: whoever comes back misses nothing, gets nothing twice, and holds the same picture."""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.workshop.contract import Frame, Picture, SideFrame, applied, empty_picture
from loadtests.workshop.dashboard.stream import EventStream
from tests.loadtests.workshop.dashboard.reader import Reader
from tests.loadtests.workshop.dashboard.room import Room
from tests.loadtests.workshop.dashboard.scripted import frame_of

STEP_US = 250_000
WHO = "somebody"


class Play:
    """A round whose clock goes on when the test says so, and somebody who watches."""

    def __init__(self, folder: Path, most_bytes: int = 2**20) -> None:
        self.room = Room(folder)
        self.broadcaster = self.room.broadcaster
        self.broadcaster.stream = EventStream(first_id=100, most_bytes=most_bytes)
        self.now_us = 1_000_000
        self.broadcaster._clock_us = lambda: self.now_us
        self.reader = Reader()
        self.sent = b""

    def connect(self) -> None:
        self.reader.reconnected()
        backlog = self.broadcaster.backlog(WHO, self.reader.last_id)
        self.subscriber = self.broadcaster.subscribers.admit(WHO, backlog)
        self.sent = b"".join(backlog)

    def steps(self, count: int) -> None:
        for _ in range(count):
            self.now_us += STEP_US
            self.broadcaster.look()
        while not self.subscriber.queue.empty():
            self.sent += self.subscriber.queue.get_nowait()

    def cut(self, share: float) -> None:
        """Only so much of what was sent arrived."""
        self.reader.feed(self.sent[: round(share * len(self.sent))])
        self.broadcaster.subscribers.leave(self.subscriber)

    def arrives(self) -> None:
        self.reader.feed(self.sent)
        self.broadcaster.subscribers.leave(self.subscriber)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.floats(0, 1)), max_size=6), st.sampled_from([600, 2**20]))
def test_any_cut_is_mended(cuts: list[tuple[int, float]], most_bytes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        play = Play(Path(folder), most_bytes)
        play.room.goes_to("run", predict=False, epoch_us=play.now_us)
        for steps, share in cuts:
            play.connect()
            play.steps(steps)
            play.cut(share)
        play.connect()
        play.steps(3)
        play.arrives()
        assert play.reader.gaps == []
        assert play.reader.picture == play.broadcaster.picture()
        assert play.reader.last_id == play.broadcaster.stream.last_id


def test_what_is_still_kept_comes_as_the_events_that_were_missed(tmp_path: Path) -> None:
    play = Play(tmp_path)
    play.room.goes_to("run", predict=False, epoch_us=play.now_us)
    play.connect()
    play.steps(4)
    play.cut(1.0)
    play.connect()
    play.arrives()
    seen = len(play.reader.names)
    play.connect()
    play.steps(5)
    play.cut(0.0)
    play.connect()
    play.arrives()
    assert play.reader.names[seen:] == ["frame"] * 5
    assert play.reader.ids == list(range(play.reader.ids[0], play.reader.ids[0] + len(play.reader.ids)))


def test_the_next_round_is_joined_without_a_gap(tmp_path: Path) -> None:
    play = Play(tmp_path)
    play.room.goes_to("run", predict=False, epoch_us=play.now_us)
    play.connect()
    play.steps(2)
    play.cut(1.0)
    play.room.goes_to("run", predict=False, number=2, epoch_us=play.now_us)
    play.connect()
    play.steps(2)
    play.arrives()
    assert play.reader.gaps == []
    assert play.reader.picture is not None
    assert play.reader.picture.round == 2
    assert play.reader.picture == play.broadcaster.picture()


def test_who_commits_is_shown_everything_at_once_and_after_any_reconnect(tmp_path: Path) -> None:
    play = Play(tmp_path)
    play.room.goes_to("run", epoch_us=play.now_us)
    play.connect()
    play.steps(2)
    play.cut(1.0)
    assert set(play.reader.names) == {"workshop", "covered"}
    assert play.broadcaster.book is not None
    play.broadcaster.book._all[WHO] = None  # type: ignore[assignment]
    play.broadcaster.opened(WHO)
    play.connect()
    play.steps(1)
    play.arrives()
    assert play.reader.picture == play.broadcaster.picture()


def test_an_open_stream_shows_everything_on_the_commit(tmp_path: Path) -> None:
    play = Play(tmp_path)
    play.room.goes_to("run", epoch_us=play.now_us)
    play.connect()
    play.steps(2)
    play.reader.feed(play.sent)
    assert play.reader.picture is None
    play.sent = b""
    assert play.broadcaster.book is not None
    play.broadcaster.book._all[WHO] = None  # type: ignore[assignment]
    play.broadcaster.opened("somebody else")
    play.broadcaster.opened(WHO)
    play.steps(2)
    play.arrives()
    assert play.reader.names[-4:] == ["workshop", "picture", "frame", "frame"]
    assert play.reader.picture == play.broadcaster.picture()
    assert play.reader.gaps == []


def test_of_a_round_that_is_too_long_the_first_frames_are_remembered_as_one() -> None:
    stream = EventStream(first_id=1, most_bytes=2000)
    picture = empty_picture(1)
    for step in range(1, 60):
        frame = frame_of(step, 250 * step)
        picture = applied(picture, frame)
        stream.append("frame", msgspec.json.encode(frame), "covered", b"{}")
        if step % 10 == 0:
            stream.remember(msgspec.json.encode(Frame(picture.at_ms, picture.left, picture.right)))
    frames = msgspec.json.decode(stream.frames(), type=list[Numbered])
    assert len(frames) < 30
    assert [it.id for it in frames[1:]] == list(range(frames[0].id + 1, 60))
    assert whole(frames) == picture
    kept = stream.since(frames[1].id - 1)
    assert kept is not None
    assert [event.id for event in kept] == list(range(frames[1].id, 60))
    assert stream.since(frames[1].id - 2) is None
    assert stream.since(58) is not None
    assert stream.since(60) is None, "never sent"


class Numbered(msgspec.Struct):
    id: int
    frame: Frame


def whole(frames: list[Numbered]) -> Picture:
    picture = Picture(1, 0, SideFrame(), SideFrame())
    for it in frames:
        picture = applied(picture, it.frame)
    return picture


def test_a_dashboard_that_was_started_anew_is_not_taken_for_the_old_one() -> None:
    old = EventStream()
    for _ in range(5000):  # as one that has caught up with a long round at once
        old.append("frame", b"{}", "covered", b"{}")
    new = EventStream()
    for _ in range(5000):
        new.append("frame", b"{}", "covered", b"{}")
    assert new.since(old.last_id) is None


def test_a_workshop_file_that_is_damaged_stops_no_round(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    play = Play(tmp_path)
    play.room.goes_to("run", predict=False, epoch_us=play.now_us)
    play.connect()
    play.steps(1)
    before = play.broadcaster.picture().at_ms
    play.room.file.write_bytes(b"{")
    play.steps(4)
    play.arrives()
    assert play.reader.picture == play.broadcaster.picture()
    assert play.reader.picture.at_ms == before + 4 * STEP_US // 1000
    assert capsys.readouterr().err.count("workshop.json") == 1, "told once"
