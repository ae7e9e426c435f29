from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from loadtests.load.recorder import Recorder
from loadtests.load.worker_config import LoadProgress, newest_progress, total_progress
from loadtests.model.history import Exchange, read_history
from loadtests.session_model.carts import Contradiction


def exchange(number: int, outcome: str = "ok") -> Exchange:
    sent_us = -1 if outcome == "not_sent" else number
    return Exchange("redis", number, f"r-{number}", "plan", "cart", outcome, number, sent_us, number + 1)  # type: ignore[arg-type]


def test_everything_recorded_is_written_once_in_order(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "h.ndjson", tmp_path / "p.ndjson")
    expected = [exchange(number) for number in range(100)]
    for number, each in enumerate(expected):
        recorder.record(each)
        if number % 30 == 0:
            recorder.flush()
    recorder.close()
    recorder.close()
    assert list(read_history(tmp_path / "h.ndjson")) == expected


def test_progress_counts_outcomes_and_losses(tmp_path: Path) -> None:
    path = tmp_path / "p.ndjson"
    recorder = Recorder(tmp_path / "h.ndjson", path)
    assert newest_progress(path) is None
    recorder.tell()
    first = newest_progress(path)
    assert first is not None
    assert first.phase == "waiting"
    recorder.begin(1)
    out, lost = Contradiction("logged_out"), Contradiction("cart_lost", 3)
    recorder.record(exchange(1))
    recorder.record(exchange(2, "failed"), (out,))
    recorder.record(exchange(2, "unknown"), (out, lost))
    recorder.record(exchange(3, "not_sent"))
    recorder.flush()
    recorder.tell()
    told = newest_progress(path)
    assert told is not None
    assert (told.phase, told.sent, told.ok, told.failed, told.unknown, told.not_sent) == ("load", 3, 1, 1, 1, 1)
    assert (told.logged_out, told.carts_lost) == (1, 1)
    assert told.cpu_s > 0
    assert told.at_us > 0
    recorder.close()


def test_without_files_it_only_counts() -> None:
    recorder = Recorder(None, None)
    recorder.record(exchange(1))
    recorder.flush()
    assert recorder.tell().ok == 1
    recorder.close()


def test_a_half_written_line_of_progress_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "p.ndjson"
    path.write_bytes(msgspec.json.encode(LoadProgress(sent=1)) + b"\n" + msgspec.json.encode(LoadProgress(sent=2))[:-3])
    told = newest_progress(path)
    assert told is not None
    assert told.sent == 1
    path.write_bytes(b'{"sent"')
    assert newest_progress(path) is None
    assert newest_progress(tmp_path / "nowhere") is None


def test_processes_add_up_to_the_slowest_phase_and_the_first_problem() -> None:
    one = LoadProgress(5, "audit", sent=3, ok=3, logged_out=1, cpu_s=0.5)
    two = LoadProgress(7, "load", sent=4, failed=4, cpu_s=0.25, problem="no")
    assert total_progress([one, two]) == LoadProgress(5, "load", 7, 3, 4, 0, 0, 1, 0, 0.75, "no")
    assert total_progress([]) == LoadProgress()


def test_a_full_disk_is_an_error_and_not_a_loss() -> None:
    recorder = Recorder(Path("/dev/full"), None)
    recorder.record(exchange(1))
    with pytest.raises(OSError, match="No space"):
        recorder.flush()
