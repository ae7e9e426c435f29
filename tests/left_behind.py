"""What a run left on the machine: for tests that kill or interrupt the harness and then look."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

import psutil

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
    return os.getpid() in {parent.pid for parent in process.parents()}


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
