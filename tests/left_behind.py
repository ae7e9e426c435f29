"""What a run left on the machine: for tests that kill or interrupt the harness and then look."""

from __future__ import annotations

from pathlib import Path

import psutil

from tests.waiting import until


def processes_of(state: Path) -> dict[int, str]:
    """Living processes that belong to this state folder, by the environment that every part of a run inherits."""
    found = {}
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get("TWINSHOP_STATE") == str(state):
                found[process.pid] = " ".join(process.cmdline())[:100]
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
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
