"""A round's frames come to its picture, and its picture comes to what the judge finds in the finished folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadtests.judging.judge import judge
from loadtests.model.results import ArchitectureResult
from loadtests.model.run_folder import RunFolder
from loadtests.workshop.contract import SIDES, Frame, Picture, SideFrame, applied, empty_picture
from loadtests.workshop.live.picture import LivePicture
from loadtests.workshop.live.recorded import read_recording
from tests.loadtests.model_run import write_run
from tests.loadtests.workshop.live.growing import GrowingRun, round_of

STEP_US = 250_000
SHOPPERS = 9


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return write_run(tmp_path_factory.mktemp("finished") / "20261121-000000-model-1", seed=4)


def watch(run: RunFolder, root: Path, steps_us: list[int], *, cut: int = 0) -> tuple[list[Frame], LivePicture]:
    """The run grows, and somebody looks at these times and once more when it is over."""
    growing = GrowingRun(run, root)
    live = LivePicture(round_of(root))
    frames = []
    for now_us in steps_us:
        growing.grow(now_us, cut=cut)
        if frame := live.advance(growing.epoch_us + now_us):
            frames.append(frame)
    growing.end()
    if frame := live.advance(growing.epoch_us + growing.last_us, over=True):
        frames.append(frame)
    live.close()
    return frames, live


def every_step(run: RunFolder, tmp_path: Path, **how: int) -> tuple[list[Frame], LivePicture]:
    return watch(run, tmp_path / "round", list(range(0, 14_000_000, STEP_US)), **how)


def put_together(frames: list[Frame]) -> Picture:
    picture = empty_picture(3)
    for frame in frames:
        picture = applied(picture, frame)
    return picture


def losses_of(side: SideFrame) -> list[tuple[str, int, int, str]]:
    return sorted((loss.kind, loss.shopper, loss.at_ms, loss.cause) for loss in side.losses)


def judged(result: ArchitectureResult) -> list[tuple[str, int, int, str]]:
    return sorted((loss.kind, loss.shopper, round(loss.at_ms), loss.cause) for loss in result.losses)


def agrees(side: SideFrame, result: ArchitectureResult) -> None:
    """The numbers of a side are those of results.json, and so is every loss with its cause."""
    counts = side.counts
    assert counts is not None
    assert (counts.logged_out, counts.carts_lost) == (result.logged_out.shoppers, result.carts_lost)
    assert (counts.failed, counts.unknown) == (result.actions.failed, result.actions.unknown)
    assert (counts.actions, counts.shoppers) == (result.actions.planned, result.shoppers)
    assert losses_of(side) == judged(result)


class TestARoundThatIsWatched:
    def test_comes_to_what_the_judge_finds(self, finished: RunFolder, tmp_path: Path) -> None:
        frames, live = every_step(finished, tmp_path)
        results = judge(finished.root).architectures
        assert results["sticky-memory"].logged_out.shoppers > 0
        agrees(live.picture().left, results["sticky-memory"])
        agrees(live.picture().right, results["redis"])
        assert live.problems == ()
        assert len(frames) > 10

    def test_frames_put_together_are_the_picture(self, finished: RunFolder, tmp_path: Path) -> None:
        frames, live = every_step(finished, tmp_path)
        assert put_together(frames) == live.picture()
        assert [frame.at_ms for frame in frames] == sorted(frame.at_ms for frame in frames)

    def test_half_lines_change_nothing(self, finished: RunFolder, tmp_path: Path) -> None:
        _, whole = every_step(finished, tmp_path / "whole")
        _, cut = every_step(finished, tmp_path / "cut", cut=100)
        for side in SIDES:
            mine, other = getattr(whole.picture(), side), getattr(cut.picture(), side)
            assert (mine.counts, mine.shoppers, mine.waits) == (other.counts, other.shoppers, other.waits)
            assert losses_of(mine) == losses_of(other)

    def test_each_loss_can_be_asked_for_its_witness(self, finished: RunFolder, tmp_path: Path) -> None:
        _, live = every_step(finished, tmp_path)
        known = set(judge(finished.root).architectures["sticky-memory"].losses)
        shown = live.picture().left.losses
        assert shown
        assert {live.loss("left", view.loss) for view in shown} == known
        assert live.loss("left", len(shown)) is live.loss("left", -1) is None

    def test_a_dashboard_that_starts_when_all_is_over_shows_the_same(self, finished: RunFolder, tmp_path: Path) -> None:
        _, live = every_step(finished, tmp_path)
        late = LivePicture(round_of(tmp_path / "round"))
        assert late.advance(10**18, over=True) is not None
        late.close()
        for side in SIDES:
            mine, other = getattr(live.picture(), side), getattr(late.picture(), side)
            assert (mine.counts, mine.marks, mine.waits, losses_of(mine)) == (
                other.counts, other.marks, other.waits, losses_of(other),
            )  # fmt: skip

    def test_one_that_starts_while_histories_are_merged_counts_nothing_twice(
        self, finished: RunFolder, tmp_path: Path
    ) -> None:
        growing = GrowingRun(finished, tmp_path / "round")
        growing.grow(growing.last_us)
        parts = {path: path.read_bytes() for path in (tmp_path / "round").glob("logs/*/history-*.ndjson")}
        assert len(parts) == 4
        growing.end()
        for path, content in parts.items():
            path.write_bytes(content)  # merged, and not deleted yet
        live = LivePicture(round_of(tmp_path / "round"))
        live.advance(10**18, over=True)
        live.close()
        agrees(live.picture().left, judge(finished.root).architectures["sticky-memory"])

    def test_nothing_new_is_no_frame(self, finished: RunFolder, tmp_path: Path) -> None:
        growing = GrowingRun(finished, tmp_path / "round")
        growing.grow(2_000_000)
        live = LivePicture(round_of(tmp_path / "round"))
        assert live.advance(growing.epoch_us + 2_600_000) is not None
        assert live.advance(growing.epoch_us + 2_700_000) is None
        live.close()

    def test_before_anything_is_written_everybody_is_outside_and_every_part_is_up(self, tmp_path: Path) -> None:
        live = LivePicture(round_of(tmp_path / "round"))
        frame = live.advance(1)
        assert frame is not None
        assert frame.at_ms == 0
        assert frame.left.nodes is not None
        assert frame.right.parts is not None
        assert [node.state for node in frame.left.nodes] == ["up", "up", "up"]
        assert [part.name for part in frame.right.parts] == ["balancer", "store", "database"]
        assert [view.state for view in frame.left.shoppers] == ["outside"] * SHOPPERS
        assert live.advance(2) is None
        live.close()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.integers(0, 14_000_000), max_size=12), cut=st.integers(0, 400), seed=st.integers(1, 4))
def test_however_often_somebody_looks_frames_put_together_are_the_picture(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int], cut: int, seed: int
) -> None:
    base = tmp_path_factory.mktemp("looked")
    run = write_run(base / "run", seed=seed)
    frames, live = watch(run, base / "round", sorted(steps), cut=cut)
    assert put_together(frames) == live.picture()
    agrees(live.picture().left, judge(run.root).architectures["sticky-memory"])


def test_a_recording_of_it_comes_to_the_same(finished: RunFolder) -> None:
    recording = read_recording(finished.root, "redis", "sticky-memory")
    picture = put_together(list(recording.frames))
    results = judge(finished.root).architectures
    agrees(picture.left, results["redis"])
    agrees(picture.right, results["sticky-memory"])
    assert {recording.loss("right", view.loss) for view in picture.right.losses} == set(results["sticky-memory"].losses)
    assert recording.loss("left", 0) is recording.loss("right", -1) is None
    times = [frame.at_ms for frame in recording.frames]
    assert times == sorted(set(times))
