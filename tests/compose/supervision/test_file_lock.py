from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from compose.supervision.file_lock import hold_file

HOLDER = """
import sys, time
from pathlib import Path
from compose.supervision.file_lock import hold_file
with hold_file(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.lock"


def test_there_is_one_at_a_time_and_then_the_next(path: Path) -> None:
    for _ in range(2):
        with hold_file(path), pytest.raises(TimeoutError, match=r"somebody else holds .*a\.lock"), hold_file(path):
            pass


def test_whoever_has_time_gets_it_when_it_is_let_go(path: Path) -> None:
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with hold_file(path):
            held.set()
            assert let_go.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert held.wait(30)
        with pytest.raises(TimeoutError), hold_file(path, within_s=0.05):
            pass
        let_go.set()
        with hold_file(path, within_s=30):
            pass
    finally:
        let_go.set()
        thread.join(30)


def test_death_lets_go(path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, path], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(TimeoutError), hold_file(path):
            pass
        holder.kill()
    with hold_file(path):
        pass


def test_a_child_that_outlives_the_holder_does_not_hold_it(path: Path) -> None:
    with hold_file(path):
        child = subprocess.Popen(["sleep", "60"])
    try:
        with hold_file(path):
            pass
    finally:
        child.kill()
        child.wait()


def test_a_folder_that_is_none_is_an_error_of_the_system(path: Path) -> None:
    path.write_text("a file in its place")
    with pytest.raises(NotADirectoryError), hold_file(path / "a.lock", within_s=30):
        pass
