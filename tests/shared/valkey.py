"""A real Valkey server for tests."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from compose.cluster import Limits
from compose.engines.store import server_args, server_program
from compose.supervision.ports import answers, free_ports
from tests.waiting import until

READY_WITHIN_S = 60.0


@dataclass
class Valkey:
    """A running server."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def freeze(self) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def running_valkey() -> Iterator[Valkey]:
    (port,) = free_ports(1)
    command = server_args(server_program(), port, Path("/"), Limits())
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert until(lambda: answers(port) or process.poll() is not None, READY_WITHIN_S), "it does not answer"
        assert process.poll() is None, "it ended at once"
        yield Valkey(port, process)
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    """One server for all tests of a module; their sessions have random ids and do not meet."""
    with running_valkey() as server:
        yield server
