"""A node as a process of its own, for tests."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import psutil

from compose.supervision.ports import answers, free_ports
from shared.shop.database import prepare
from tests.waiting import until

READY_WITHIN_S = 60.0
GONE_WITHIN_S = 20.0


class Process:
    """A node in a session of its own, as engines start it."""

    def __init__(self, folder: Path, twin: str, accounts: int = 2, **settings: str) -> None:
        url = f"sqlite:///{folder}/shop.sqlite"
        prepare(url, accounts=accounts, password="shop", cost=128)
        (self.port,) = free_ports(1)
        self.log = folder / "requests.ndjson"
        self.words = folder / "node.log"
        environment = {
            **os.environ,
            "TWINSHOP_DATABASE_URL": url,
            "TWINSHOP_SECRET_KEY": "the secret key of the tests",
            "TWINSHOP_REQUEST_LOG": str(self.log),
            "TWINSHOP_RUN": "0a1b2c3d",
            "TWINSHOP_PASSWORD_COST": "128",
            **settings,
        }
        with self.words.open("ab") as words:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "shared.node", twin, "--port", str(self.port)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                start_new_session=True,
            )

    def ask(
        self,
        path: str,
        request: str = "r",
        headers: Mapping[str, str] | None = None,
        put: Mapping[str, object] | None = None,
    ) -> tuple[int, dict[str, object]]:
        """One request on a connection of its own."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
            sent = {"Accept": "application/json", "X-Request-Id": request, **(headers or {})}
            if put is None:
                connection.request("GET", path, headers=sent)
            else:
                connection.request("PUT", path, json.dumps(put), {**sent, "Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def login(self, user: str = "user-0001") -> str:
        """The session's cookie."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
            body = json.dumps({"user": user, "password": "shop"})
            kinds = {"Accept": "application/json", "Content-Type": "application/json"}
            connection.request("POST", "/login", body, kinds)
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            return str(answer.headers["Set-Cookie"]).split(";")[0]

    def wait_until_ready(self) -> None:
        until(lambda: answers(self.port) or self.popen.poll() is not None, READY_WITHIN_S)
        assert answers(self.port), self.words.read_text()
        assert self.ask("/healthz")[0] == 200

    def group(self) -> list[int]:
        return [self.popen.pid, *(child.pid for child in psutil.Process(self.popen.pid).children(recursive=True))]

    def end(self) -> None:
        if self.popen.poll() is None:
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait(GONE_WITHIN_S)
