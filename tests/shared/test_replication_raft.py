from __future__ import annotations

import socket
import subprocess
import sys


def test_the_systems_own_function_stays() -> None:
    """In a process of its own: here somebody may have imported it before."""
    words = (
        "import socket; before = socket.inet_ntop; import shared.replication.state; assert socket.inet_ntop is before"
    )
    subprocess.run([sys.executable, "-c", words], check=True, timeout=60)


def test_addresses_can_be_read_with_it() -> None:
    import shared.replication.raft

    assert shared.replication.raft.SyncObj
    assert socket.inet_ntop(socket.AF_INET, b"\x7f\0\0\1") == "127.0.0.1"
