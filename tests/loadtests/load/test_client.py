"""The client in a process of its own (Locust patches it), against a server that closes, hangs and lies."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtests.model.history import Exchange, read_history
from tests.loadtests.standins import StandinShop, in_load_process, standin_shop

ASK = """
from loadtests.load.client import StrictSession, assert_strict
from loadtests.model.plan import ClientLimits
assert_strict()
url, asked = sys.argv[1], json.loads(sys.argv[2])
session = StrictSession(url, ClientLimits(connect_timeout_ms=500, answer_timeout_ms=1000))
told = []
for method, path in asked:
    body = b'{"user": "user-0001"}' if method == "POST" else b""
    answer = session.ask(method, path, {"X-Request-Id": f"r{len(told)}"}, body)
    took_ms = (answer.done_ns - answer.sent_ns) / 1e6
    cookies = {name: len(value) for name, value in session.pocket("main").by_name().items()}
    told.append([answer.status, answer.error, answer.sent, took_ms, cookies])
print(json.dumps(told))
"""

INTERRUPTED = """
import gevent
from loadtests.load.client import StrictSession, assert_strict
from loadtests.model.plan import ClientLimits
assert_strict()
limits = ClientLimits(connect_timeout_ms=20_000, answer_timeout_ms=20_000)
session = StrictSession(sys.argv[1], limits)
def ask():
    gevent.sleep(0)
    return session.ask("GET", "/products", {})
statuses = []
for number in range(100):
    asking = gevent.spawn(ask)
    for _ in range(number % 10):  # so many turns of the loop: checking the connection, sending, waiting, reading
        gevent.sleep(0)
    asking.kill()
    statuses.append(session.ask("GET", "/products", {}).status)
print(json.dumps([statuses.count(200), len(statuses)]))
"""

CLOSED_ON = """
from pathlib import Path
import gevent
from loadtests.load.client import StrictSession, assert_strict
from loadtests.load.load_worker import LoadClock
from loadtests.model.plan import Action, ClientLimits
from loadtests.load.recorder import Recorder
from loadtests.load.worker_config import VisitConfig
from loadtests.load.load_worker import GreenletJob
from loadtests.load.visit import ShopperVisit
from tests.loadtests.load.shop_client import SHOP, shop_client
assert_strict()
recorder = Recorder(Path(sys.argv[2]), None)
clock = LoadClock()
clock.begin(clock.zero_ns)
class Desk:
    def saw(self, exchange, answer, findings):
        recorder.record(exchange, findings)
limits = ClientLimits(late_ms=10**9)
def visit(number):
    session = StrictSession(sys.argv[1], limits)
    actions = (Action(0, "browse"),) * 25 + (Action(0, "login"),) * 25
    config = VisitConfig("redis", "", "r", limits, SHOP.http)
    ShopperVisit(number, actions, config, session, clock, Desk().saw, GreenletJob, shop_client(number, "shop")).shop()
gevent.joinall([gevent.spawn(visit, number) for number in range(1, 21)], raise_error=True)
recorder.close()
print("null")
"""


@pytest.fixture
def shop() -> Iterator[StandinShop]:
    with standin_shop() as running:
        yield running


def ask(url: str, *requests: tuple[str, str]) -> list[tuple[int, str, bool, float, dict[str, int]]]:
    return [tuple(each) for each in in_load_process(ASK, url, json.dumps(requests))]  # type: ignore[misc]


def test_a_thousand_closed_connections_are_a_thousand_requests_and_a_thousand_failures(
    shop: StandinShop, tmp_path: Path
) -> None:
    shop.rule("*", "close", times=-1)
    in_load_process(CLOSED_ON, shop.url, str(tmp_path / "history.ndjson"))
    history = [record for record in read_history(tmp_path / "history.ndjson") if isinstance(record, Exchange)]
    assert len(shop.seen()) == 1000
    assert len({request for _, _, request, _ in shop.seen()}) == 1000
    assert [exchange.outcome for exchange in history].count("ok") == 0
    assert len(history) == 1000
    assert {(exchange.do, exchange.outcome, exchange.error) for exchange in history} == {
        ("browse", "failed", "closed"),
        ("login", "unknown", "closed"),
    }


def test_failures_are_told_apart(shop: StandinShop) -> None:
    for misbehaviour in ("close", "hang 60", "truncate", "garble", "status 503", "redirect"):
        shop.rule("GET /products", misbehaviour)
    told = ask(shop.url, *[("GET", "/products")] * 7)
    assert [each[:3] for each in told] == [
        (0, "closed", True),
        (0, "timeout", True),
        (0, "garbled", True),
        (0, "garbled", True),
        (503, "", True),
        (302, "", True),
        (200, "", True),
    ]
    assert 900 < told[1][3] < 20_000
    assert len(shop.seen()) == 7


def test_no_connection_means_not_sent() -> None:
    with socket.socket() as unbound:
        unbound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unbound.getsockname()[1]}"
        assert ask(url, ("GET", "/products"))[0][:3] == (0, "refused", False)
        unbound.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        try:
            for filler in fillers:  # nobody accepts: the queue is full, further connections are not answered
                filler.setblocking(False)
                filler.connect_ex(unbound.getsockname())
            status, error, sent, took_ms, _ = ask(url, ("GET", "/products"))[0]
        finally:
            for filler in fillers:
                filler.close()
        assert (status, error, sent) == (0, "connect_timeout", False)
        assert 450 < took_ms < 20_000


def test_a_shopper_who_was_interrupted_can_ask_again(shop: StandinShop) -> None:
    assert in_load_process(INTERRUPTED, shop.url) == [100, 100]


def test_a_dripping_answer_does_not_outlast_the_limit(shop: StandinShop) -> None:
    shop.rule("GET /products", "drip 0.2")  # some 40 s for all of it
    status, error, sent, took_ms, _ = ask(shop.url, ("GET", "/products"))[0]
    assert (status, error, sent) == (0, "timeout", True)
    assert took_ms < 20_000


def test_a_cookie_is_kept_as_a_browser_keeps_it(shop: StandinShop) -> None:
    name = len("extra")
    for length in (10, 4096 - name, 4096 - name + 1, 5000, 20):
        shop.rule("GET /products", f"cookie {length}")
    told = ask(shop.url, ("POST", "/login"), *[("GET", "/products")] * 5, ("GET", "/me"))
    assert [each[4].get("extra") for each in told] == [None, 10, 4091, 4091, 4091, 20, 20]
    assert [each[0] for each in told] == [200] * 7
    assert "session=s1" in shop.seen()[-1][3]
    assert "extra=" in shop.seen()[-1][3]


def test_without_the_switch_nothing_starts() -> None:
    code = """
import geventhttpclient.client
del geventhttpclient.client._may_retry_after_send_error
from loadtests.load.client import assert_strict
try:
    assert_strict()
except Exception as error:
    print(json.dumps([type(error).__name__, str(error)]))
"""
    name, words = in_load_process(code)
    assert name == "EnvironmentNotReady"
    assert "hidden re-sends cannot be switched off" in words
    assert "make install" in words


def test_only_plain_http_is_spoken() -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import locust, json, sys\n{ASK}", "https://127.0.0.1:1", "[]"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "speak plain HTTP" in done.stderr
