"""The dashboard's own process and the real picture: what a round's files say is what a subscriber is sent."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
from msgspec.structs import replace

from loadtests.workshop.contract import Frame, Phase, applied, empty_picture
from tests.loadtests.synthetic_run import WINDOW_MS, synthetic_run
from tests.loadtests.workshop.dashboard.process import REAL, Dashboard, dashboard
from tests.loadtests.workshop.dashboard.reader import Reader
from tests.loadtests.workshop.dashboard.scripted import a_workshop, write_workshop
from tests.loadtests.workshop.live.growing import round_of


class Numbered(msgspec.Struct):
    id: int
    frame: Frame


def write_round(folder: Path, phase: Phase, ago_s: float) -> None:
    """People began to shop so long ago."""
    epoch_us = time.time_ns() // 1000 - int(ago_s * 1e6)
    said = round_of(folder / "run", epoch_us=epoch_us, window_ms=WINDOW_MS, shoppers=60)
    write_workshop(folder / "workshop.json", a_workshop(replace(said, phase=phase), predict=False))


def picture_of(live: Dashboard) -> Reader:
    reader = Reader()
    watch = live.watch()
    watch.read(reader, 2)
    watch.close()
    return reader


def test_a_dashboard_that_is_started_late_knows_what_has_happened(tmp_path: Path) -> None:
    results = synthetic_run(tmp_path / "run")
    write_round(tmp_path, "explain", ago_s=60)
    with dashboard(tmp_path, REAL) as live:
        reader = picture_of(live)
        frames = msgspec.json.decode(live.ask("/api/frames").body, type=list[Numbered])
        witness = live.ask("/api/losses/left/0").body
        assert live.log.read_text() == ""
    assert reader.picture is not None
    counts = reader.picture.left.counts
    assert counts is not None
    assert counts.logged_out == results.architectures["sticky-memory"].logged_out.shoppers == 20
    assert reader.picture.right.counts is not None
    assert reader.picture.right.counts.logged_out == 0
    assert b'"witness":[{' in witness
    assert len(frames) > 40, "four a second of a round of 12 s"
    picture = empty_picture(reader.picture.round)
    for it in frames:
        picture = applied(picture, it.frame)
    assert picture == reader.picture


def test_while_it_goes_on_nothing_is_told_before_its_time(tmp_path: Path) -> None:
    synthetic_run(tmp_path / "run")
    write_round(tmp_path, "run", ago_s=2)
    with dashboard(tmp_path, REAL) as live:
        reader = picture_of(live)
        assert reader.picture is not None
        assert reader.picture.left.losses == (), "the node dies at 5 s"
        watch = live.watch(reader.last_id)
        while not reader.picture.left.losses:
            watch.read(reader, 1)
        watch.close()
    assert reader.gaps == []
    assert reader.picture.at_ms >= 5000
