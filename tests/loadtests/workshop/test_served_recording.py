"""A finished run in the dashboard, in a process of its own."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import msgspec
import pytest

from loadtests.model.results import Results
from loadtests.model.run_folder import RunFolder, encode_document, read_document
from loadtests.report import render_report
from loadtests.workshop.contract import Frame, SideFrame
from loadtests.workshop.served_recording import replayed
from shared.errors import UsageError
from tests.loadtests.synthetic_run import synthetic_run
from tests.loadtests.workshop.dashboard.reader import Reader


class Numbered(msgspec.Struct):
    id: int
    frame: Frame


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        content: bytes = answer.read()
        return content


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("replay") / "run"
    results = synthetic_run(folder)
    files = RunFolder(folder)
    files.results.write_bytes(encode_document(results))
    files.report.write_bytes(render_report(folder, results))
    return folder


def test_the_page_shows_all_of_it_at_once_with_every_loss_and_its_witness(run: Path) -> None:
    judged = read_document(RunFolder(run).results, Results).architectures["sticky-memory"]
    with replayed(run) as it:
        assert it.architectures == ("sticky-memory", "redis")
        assert b"Twinshop" in fetch(it.url)
        with urllib.request.urlopen(f"{it.url}events", timeout=30) as stream:
            reader = Reader()
            while len(reader.names) < 2:
                reader.feed(stream.readline())
        assert reader.picture is not None
        assert reader.workshop is not None
        assert (reader.workshop.round.phase, reader.workshop.predict) == ("explain", False)
        assert reader.picture.left.counts is not None
        assert reader.picture.left.counts.logged_out == judged.logged_out.shoppers > 0
        frames = msgspec.json.decode(fetch(f"{it.url}api/frames"), type=list[Numbered])
        assert len(frames) > 40, "the run took 12 s"
        assert count_losses(frame.frame.left for frame in frames) == len(reader.picture.left.losses) >= 20
        for loss in reader.picture.left.losses:
            assert b'"witness":[{' in fetch(f"{it.url}api/losses/left/{loss.loss}")
        assert fetch(f"{it.url}report") == RunFolder(run).report.read_bytes()


def count_losses(sides: object) -> int:
    found: set[int] = set()
    for side in sides:  # type: ignore[attr-defined]
        assert isinstance(side, SideFrame)
        found.update(loss.loss for loss in side.losses)
    return len(found)


def test_other_architectures_can_be_named(run: Path) -> None:
    with replayed(run, ("roundrobin-memory", "signed-token")) as it:
        assert it.architectures == ("roundrobin-memory", "signed-token")


@pytest.mark.parametrize("named", [("redis",), ("redis", "abacus"), ("redis", "sticky-memory", "signed-token")])
def test_what_it_did_not_measure_is_said(run: Path, named: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="cannot show"), replayed(run, named):
        pass
