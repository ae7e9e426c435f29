from __future__ import annotations

import time
from pathlib import Path

from compose.supervision.waiting import not_ready, tail, wait_for


def test_it_returns_what_was_found() -> None:
    looks = iter([None, None, "there"])
    assert wait_for(lambda: next(looks), until=time.monotonic() + 5, every_s=0.001) == "there"


def test_it_looks_at_least_once_and_has_a_bound() -> None:
    looked: list[int] = []
    assert wait_for(lambda: looked.append(1), until=time.monotonic() - 1) is None
    assert looked == [1]
    began = time.monotonic()
    assert wait_for(lambda: looked.append(1), until=began + 0.05, every_s=0.01) is None
    assert len(looked) <= 1 + 6, "it went on looking"


def test_the_tail_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "n1.log"
    log.write_bytes(b"".join(b"line %d\n" % number for number in range(100)) + b"\xff cut")
    lines = tail(log).splitlines()
    assert len(lines) == 32
    assert lines[0] == "line 69"
    assert lines[-1] == "� cut"
    assert tail(tmp_path / "none.log") == ""


def test_the_error_shows_the_log(tmp_path: Path) -> None:
    log = tmp_path / "n1.log"
    log.write_text("Traceback\n")
    text = str(not_ready("n1", "it ended", log))
    assert text.splitlines()[0] == "n1 did not become ready"
    assert f"log:  {log}" in text
    assert "  | Traceback" in text
