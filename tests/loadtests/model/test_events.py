from __future__ import annotations

import time
from pathlib import Path

import pytest

from loadtests.model.events import EventLog, LoadStarted, NodeSample, read_events
from shared.errors import RunFolderError


def test_what_comes_before_the_zero_gets_a_negative_time(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.ndjson")
    log.write(lambda at_us: NodeSample("redis", at_us, {"n1": 0}))
    log.set_zero(time.monotonic_ns() + 1_000_000_000)
    log.write(lambda at_us: LoadStarted("redis", at_us, 0, 1))
    before, after = read_events(tmp_path / "events.ndjson")
    assert before.at_us < after.at_us < 0


def test_a_log_that_never_got_a_zero_loses_nothing(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.ndjson")
    log.write(lambda at_us: NodeSample("redis", at_us, {"n1": 0}))
    log.close()
    log.close()
    (event,) = read_events(tmp_path / "events.ndjson")
    assert event.at_us <= 0


@pytest.mark.parametrize("damage", [b'{"event":"nonsense"}\n', b'{"event":"load_sta', b"\xff\n"])
def test_a_damaged_line_is_named(tmp_path: Path, damage: bytes) -> None:
    log = EventLog(tmp_path / "events.ndjson")
    log.set_zero(0)
    log.write(lambda at_us: LoadStarted("redis", at_us, 0, 1))
    with (tmp_path / "events.ndjson").open("ab") as events:
        events.write(damage)
    with pytest.raises(RunFolderError, match="line 2"):
        list(read_events(tmp_path / "events.ndjson"))
