"""Fixtures of the load's tests: a shop that can be told to misbehave, and Locust in a process of its own."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

RUN = "0123abcd"


class StandinShop:
    """A shop in another process."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def rule(self, at: str, do: str, times: int = 1) -> None:
        self._control("POST", "/-/rule", json.dumps({"at": at, "do": do, "times": times}))

    def forget(self) -> None:
        self._control("POST", "/-/forget")

    def seen(self) -> list[list[str]]:
        """[method, path, request id, cookies] of everything that came in."""
        return list(self._control("GET", "/-/seen"))

    def _control(self, method: str, path: str, body: str = "") -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


@contextmanager
def standin_shop() -> Iterator[StandinShop]:
    """Start one, and end it."""
    program = Path(__file__).parent / "standin_shop.py"
    with subprocess.Popen(
        [sys.executable, str(program), RUN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield StandinShop(int(process.stdout.readline()))
        finally:
            process.stdin.close()
            process.wait(timeout=30)


def in_load_process(code: str, *args: str, timeout: float = 60) -> Any:
    """Run code in a fresh process in which Locust was imported first; what it prints last is read as JSON."""
    program = f"import locust, json, sys\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", program, *args], capture_output=True, text=True, timeout=timeout, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
