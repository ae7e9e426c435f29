"""Work in several processes: results in order, errors as they were, and nothing left of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from loadtests.judging.processes import in_processes
from shared.errors import Interrupted, RunFolderError, TwinshopError
from tests.waiting import until


def double(number: int) -> int:
    """Work that goes well, but for one number."""
    if number == 13:
        raise RunFolderError("no 13", why="it is unlucky", next_step="take another")
    return 2 * number


def die(_: int) -> None:
    """Work that is killed."""
    os.kill(os.getpid(), signal.SIGKILL)


def stay(told: str) -> None:
    """Work that never ends; says who does it."""
    Path(told, str(os.getpid())).touch()
    while True:
        signal.pause()


def children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def test_results_come_in_the_order_of_the_pieces() -> None:
    assert in_processes(double, range(7), 2) == [0, 2, 4, 6, 8, 10, 12]


def test_an_error_comes_as_it_was() -> None:
    with pytest.raises(RunFolderError) as caught:
        in_processes(double, [1, 13, 2], 2)
    assert (caught.value.what, caught.value.why) == ("no 13", "it is unlucky")
    assert caught.value.next_step == "take another"


def test_a_killed_process_is_named() -> None:
    with pytest.raises(TwinshopError, match="ended before it was done") as caught:
        in_processes(die, [1, 2], 2)
    assert "signal 9" in caught.value.why


def test_nothing_is_left_of_an_interrupted_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        assert until(lambda: len(list(tmp_path.iterdir())) == 2, 30)
        raise Interrupted("Ctrl-C")

    monkeypatch.setattr("loadtests.judging.processes.wait", interrupted)
    began = time.monotonic()
    with pytest.raises(Interrupted):
        in_processes(stay, [str(tmp_path)] * 2, 2)
    assert time.monotonic() - began < 60
    assert not [int(each.name) for each in tmp_path.iterdir() if psutil.pid_exists(int(each.name))]


def test_they_end_with_whoever_asked(tmp_path: Path) -> None:
    program = (
        "from tests.loadtests.judging.test_processes import in_processes, stay\n"
        f"if __name__ == '__main__': in_processes(stay, [{str(tmp_path)!r}] * 2, 2)"
    )
    asking = subprocess.Popen([sys.executable, "-c", program], cwd=Path(__file__).parents[3])
    try:
        assert until(lambda: len(list(tmp_path.iterdir())) == 2, 30)
    finally:
        asking.kill()
        asking.wait()
    pids = [int(each.name) for each in tmp_path.iterdir()]
    assert until(lambda: not any(map(psutil.pid_exists, pids)), 30)
