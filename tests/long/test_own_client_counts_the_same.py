"""A client that shares no code with the lab counts the logouts of three balancers in three events: as many as the
victim said it held sessions, and nobody where none was lost. It knows the shop's interface and the command line only.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest

PEOPLE = 9
BOUND_S = 60.0

pytestmark = [pytest.mark.long, pytest.mark.cluster]


def twinshop(*words: str) -> str:
    done = subprocess.run([sys.executable, "-m", "loadtests.cli", *words], capture_output=True, text=True, check=True)
    return done.stdout


class Person:
    """Somebody with a cookie jar."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url
        self.web = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
        )
        body = json.dumps({"user": user, "password": password}).encode()
        assert self.ask("/login", body) == 200

    def ask(self, path: str, body: bytes | None = None) -> int:
        """The status; 0 if nobody answered."""
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        try:
            with self.web.open(urllib.request.Request(f"{self.url}{path}", body, headers), timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def is_known(self) -> bool:
        """Whether the shop knows them, asked until it says so or that it does not."""
        until = time.monotonic() + BOUND_S
        while (status := self.ask("/me")) not in (200, 401):
            assert time.monotonic() < until, f"still {status}"
            time.sleep(0.2)
        return status == 200


@pytest.fixture(params=["haproxy", "nginx", "caddy"])
def up(request: pytest.FixtureRequest, own_state: Path) -> Iterator[dict[str, Any]]:
    document = json.loads(twinshop("up", "--architecture", "sticky-memory", "--balancer", request.param, "--json"))
    try:
        yield document
    finally:
        twinshop("down")


def kill_and_back() -> None:
    twinshop("kill", "n2")
    time.sleep(3)
    twinshop("start", "n2")


def stop_and_back() -> None:
    twinshop("stop", "n2")
    time.sleep(3)
    twinshop("start", "n2")


def restart_the_balancer() -> None:
    twinshop("kill", "balancer")
    time.sleep(1)
    twinshop("start", "balancer")


@pytest.mark.parametrize(
    ("event", "takes"), [(kill_and_back, True), (stop_and_back, True), (restart_the_balancer, False)]
)
def test_as_many_are_out_as_the_victim_held(up: dict[str, Any], event: Callable[[], None], takes: bool) -> None:
    users = up["users"]
    people = [Person(up["url"], f"user-{number:04d}", users["password"]) for number in range(1, PEOPLE + 1)]
    (cluster,) = json.loads(twinshop("status", "--json"))["clusters"]
    held = {node["name"]: node["sessions"] for node in cluster["nodes"]}
    assert sum(held.values()) == PEOPLE
    assert held["n2"] > 0
    event()
    out = sum(not person.is_known() for person in people)
    assert out == (held["n2"] if takes else 0)
