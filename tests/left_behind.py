"""What a run left on the machine: for tests that kill or interrupt the harness and then look."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.waiting import until


def processes_of(state: Path, besides: Collection[int] = ()) -> dict[int, str]:
    """Living processes that belong to this state folder, by the environment that every part of a run inherits.

    Args:
        state: the folder.
        besides: process ids that are not looked at.
    """
    return _living(besides, lambda process: process.environ().get("TWINSHOP_STATE") == str(state))


def left_over(state: Path, before: Collection[int]) -> dict[int, str]:
    """Living processes that were not there before: our children, and all that carry the state folder.

    It is asked after each of thousands of tests: only the new ones are looked at, and mostly there is none.
    """
    return _living(before, lambda process: _is_ours(process) or process.environ().get("TWINSHOP_STATE") == str(state))


def _is_ours(process: psutil.Process) -> bool:
    # Not by its `parents`, which asks of each when it was born: other test processes start thousands meanwhile.
    pid = process.pid
    with suppress(psutil.NoSuchProcess):
        while pid > 1 and pid not in _ANSWERED_FOR:
            pid = psutil.Process(pid).ppid()
            if pid == os.getpid():
                return True
    return False


_ANSWERED_FOR: set[int] = set()
"""Processes of ours that live longer than a test; also for what they start, whoever started them answers."""


@contextmanager
def outlives_a_test(state: Path, gone_within_s: float = 10.0) -> Iterator[Callable[[], None]]:
    """Of children that are started in here, until it is told that they were, no test is asked.

    Args:
        state: the folder that they, and all that ever comes of them, carry; none of them may live when this ends.

    Raises:
        AssertionError: one does.
    """
    before = set(psutil.pids())
    roots: set[int] = set()
    carries = pytest.MonkeyPatch()
    carries.setenv("TWINSHOP_STATE", str(state))

    def started() -> None:
        carries.undo()
        roots.update({child.pid for child in psutil.Process().children()} - before)
        _ANSWERED_FOR.update(roots)

    try:
        yield started
    finally:
        carries.undo()
        _ANSWERED_FOR.difference_update(roots)
    assert until(lambda: not left_over(state, before), gone_within_s), f"left behind: {left_over(state, before)}"


def _living(besides: Collection[int], belongs: Callable[[psutil.Process], bool]) -> dict[int, str]:
    found = {}
    for pid in set(psutil.pids()).difference(besides):
        # Some are gone meanwhile, and some may not be asked.
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            process = psutil.Process(pid)
            if process.status() != psutil.STATUS_ZOMBIE and belongs(process):
                found[pid] = " ".join(process.cmdline())[:100]
    return found


def listening_ports() -> set[int]:
    """Every TCP port of this machine on which something listens."""
    return {
        connection.laddr.port
        for connection in psutil.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr
    }


def ports_of(state: Path) -> set[int]:
    """The ports on which processes of this state folder listen."""
    ours = processes_of(state)
    return {
        connection.laddr.port
        for connection in psutil.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN and connection.pid in ours and connection.laddr
    }


def wait_until_gone(state: Path, seconds: float) -> dict[int, str]:
    """What is still there when nothing is left, or when the time is over."""
    until(lambda: not processes_of(state), seconds)
    return processes_of(state)
