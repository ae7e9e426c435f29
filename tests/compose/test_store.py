from __future__ import annotations

import secrets
import socket
from pathlib import Path

import psutil
import pytest

from compose.child import spawn
from compose.ledger import Ledger
from compose.ports import free_ports
from compose.process_table import carries
from compose.store import server_args, server_program, serving_pid
from tests.waiting import until

RUN = secrets.token_hex(4)


@pytest.mark.cluster
def test_a_real_server_without_a_trace_on_the_disk(own_state: Path, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    folder = tmp_path / "work"
    folder.mkdir()
    with Ledger.open(own_state, RUN) as ledger:
        args = server_args(server_program(), port, folder)
        store = spawn(ledger, "store", args, env={}, log=tmp_path / "log")
        assert until(lambda: serving_pid(port) == store.pid)
        assert carries(store.pid, RUN), "its environment must stay readable, or recovery would not know it"
        listening = psutil.Process(store.pid).net_connections("inet")
        assert {connection.laddr.ip for connection in listening} == {"127.0.0.1"}
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(b"SET a b\r\n")
            assert connection.recv(100) == b"+OK\r\n"
        store.terminate()
        assert store.wait(3) == 0
    assert list(folder.iterdir()) == []
    assert serving_pid(port) is None


def test_something_else_is_no_store() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert serving_pid(server.getsockname()[1], within_s=0.05) is None
