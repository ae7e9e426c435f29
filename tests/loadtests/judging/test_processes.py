"""Work in several processes: results in order, errors as they were, and nothing left of it."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from loadtests.judging import processes
from loadtests.judging.processes import in_processes
from shared.errors import RunFolderError, TwinshopError
from tests.waiting import until

ROOT = Path(__file__).parents[3]
ASKING = """
import sys
from loadtests.running.console import interrupts_raise
from shared.errors import Interrupted
from tests.loadtests.judging.test_processes import in_processes, stay
try:
    with interrupts_raise():
        in_processes(stay, [{0!r}] * 2, 2)
except Interrupted:
    sys.exit(130)
"""


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


def die_or_nap(seconds: int) -> None:
    """Work that is killed, or takes so long."""
    if not seconds:
        die(0)
    time.sleep(seconds)


def die_or_stay(told: str) -> None:
    """Work that is killed, or never ends."""
    stay(told) if told else die(0)


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


def test_whoever_fails_waits_for_nobody(tmp_path: Path) -> None:
    """The first piece fails at once; the second would never end."""
    with pytest.raises(TwinshopError, match="ended before it was done"):
        in_processes(die_or_stay, ["", str(tmp_path)], 2)
    assert not [int(each.name) for each in tmp_path.iterdir() if psutil.pid_exists(int(each.name))]


def test_one_that_starts_after_the_others_were_ended_is_ended_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second process is started when the first has failed, and all that were there then have been killed."""
    killed = threading.Event()
    started: list[subprocess.Popen[bytes]] = []

    class Pool(ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            if wait:
                killed.set()
            super().shutdown(wait, cancel_futures=cancel_futures)

    class Popen(subprocess.Popen):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            if next(numbers):
                killed.wait(60)
            super().__init__(*args, **kwargs)
            started.append(self)

    numbers = itertools.count()
    monkeypatch.setattr(processes, "ThreadPoolExecutor", Pool)
    monkeypatch.setattr(processes, "subprocess", SimpleNamespace(Popen=Popen, PIPE=subprocess.PIPE))
    with pytest.raises(TwinshopError, match="ended before it was done"):
        in_processes(die_or_nap, [0, 20], 2)
    assert [process.returncode for process in started] == [-signal.SIGKILL] * 2, "the second did not end by itself"


def test_nothing_is_left_of_an_interrupted_one(tmp_path: Path) -> None:
    """Ctrl-C on a terminal comes to all processes of its group at once, and is answered by the one that asked."""
    asking = subprocess.Popen(
        [sys.executable, "-c", ASKING.format(str(tmp_path))], cwd=ROOT, start_new_session=True, stderr=subprocess.PIPE
    )
    try:
        assert until(lambda: len(list(tmp_path.iterdir())) == 2, 30)
        os.killpg(asking.pid, signal.SIGINT)
        _, said = asking.communicate(timeout=30)
    finally:
        asking.kill()
        asking.wait()
    assert asking.returncode == 130
    assert said == b""
    assert not [int(each.name) for each in tmp_path.iterdir() if psutil.pid_exists(int(each.name))]


def test_they_end_with_whoever_asked(tmp_path: Path) -> None:
    asking = subprocess.Popen([sys.executable, "-c", ASKING.format(str(tmp_path))], cwd=ROOT)
    try:
        assert until(lambda: len(list(tmp_path.iterdir())) == 2, 30)
    finally:
        asking.kill()
        asking.wait()
    pids = [int(each.name) for each in tmp_path.iterdir()]
    assert until(lambda: not any(map(psutil.pid_exists, pids)), 30)
