"""What a living node is told to suffer from: from the next request on, and nobody who watches it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from compose.applications.twins import Twins
from shared.request_log import LoggedRequest, LoggedSession, read_request_log
from shared.sessions import Injection, fingerprint
from shared.shop.database import read_orders
from tests.shared.shops import CONTROL_TOKEN, PASSWORD, JsonVisitor, Node, node

CONTROL = {"X-Control-Token": CONTROL_TOKEN}


@pytest.fixture
def shop(tmp_path: Path) -> Node:
    return node(tmp_path, "memory")


def tell(shop: Node, **trouble: Any) -> TestResponse:
    return shop.visitor().ask("PUT", "/-/trouble", trouble, CONTROL)


def test_the_state(tmp_path: Path) -> None:
    shop = node(tmp_path, "token", fallback_key="an older key", node_workers=2)
    tell(shop, clock_ahead_s=30, delay_ms=1)
    before = time.time_ns() // 1000
    said = shop.visitor().get("/-/state", **CONTROL).json
    assert (said["node"], said["workers"], said["fallback"]) == ("n1", 2, fingerprint("an older key"))
    assert said["key"] == fingerprint(shop.settings.secret_key)
    told = {"delay_ms": 1, "errors": "none", "session_cap": 0, "clock_ahead_s": 30, "dies_before_saving": False}
    assert said["trouble"] == told
    assert 30e6 <= said["clock_us"] - before < 35e6
    assert said["pid"] > 0
    assert shop.settings.secret_key not in str(said)


def test_it_is_read_by_the_engines(shop: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    tell(shop, session_cap=7)
    answer = shop.visitor().get("/-/state", **CONTROL)

    class Answer:
        status, body = answer.status_code, answer.data

    monkeypatch.setattr("compose.applications.twins.ask", lambda *_, **__: Answer)
    read = Twins().state("http://n1", CONTROL_TOKEN, {"own": shop.settings.secret_key})
    assert read is not None
    assert (read.key, read.fallback, read.trouble) == ("own", None, Injection(session_cap=7))


@pytest.mark.parametrize(("method", "path"), [("GET", "/-/state"), ("PUT", "/-/trouble"), ("GET", "/-/sessions")])
@pytest.mark.parametrize("headers", [{}, {"X-Control-Token": "guess"}])
def test_without_the_token_there_is_no_such_page(shop: Node, method: str, path: str, headers: dict[str, str]) -> None:
    assert shop.visitor().ask(method, path, {}, headers).status_code == 404
    assert shop.visitor().get("/-/state", **CONTROL).json["trouble"]["delay_ms"] == 0


@pytest.mark.parametrize("trouble", [{"delay_ms": -1}, {"errors": "often"}, {"mood": 1}, {"session_cap": -1}])
def test_what_makes_no_sense_changes_nothing(shop: Node, trouble: dict[str, object]) -> None:
    tell(shop, delay_ms=1)
    answer = tell(shop, **trouble)
    assert (answer.status_code, answer.json["error"]) == (400, "bad_trouble")
    assert shop.visitor().get("/-/state", **CONTROL).json["trouble"]["delay_ms"] == 1


def test_a_body_needs_no_content_type(shop: Node) -> None:
    headers = {**CONTROL, "Content-Type": "text/plain"}
    assert shop.visitor().ask("PUT", "/-/trouble", b"{}", headers).status_code == 200


def test_delay(shop: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("shared.shop.middleware.sleep", waits.append)
    tell(shop, delay_ms=120)
    for path, late in (("/products", True), ("/nowhere", True), ("/healthz", False), ("/-/sessions", False)):
        shop.visitor().get(path, **CONTROL)
        assert waits == ([0.12] if late else [])
        waits.clear()
    tell(shop)
    shop.visitor().get("/products")
    assert waits == []


def test_errors_instead(shop: Node) -> None:
    visitor = shop.visitor().login()
    tell(shop, errors="instead")
    answer = visitor.add("acorn")
    assert (answer.status_code, answer.json["error"], answer.headers["X-Node"]) == (500, "sick", "n1")
    assert visitor.get("/healthz").status_code == 200
    tell(shop)
    assert visitor.cart() == {}


def test_errors_afterwards(shop: Node) -> None:
    visitor = shop.visitor().login()
    tell(shop, errors="afterwards")
    for answer in (visitor.add("acorn"), visitor.add("bell"), visitor.get("/products")):
        assert (answer.status_code, answer.json["error"]) == (500, "sick")
        assert "Set-Cookie" not in answer.headers
    tell(shop)
    assert visitor.cart() == {"acorn": 1, "bell": 1}
    tell(shop, errors="afterwards")
    assert visitor.checkout("k").status_code == 500
    assert [order.lines for order in read_orders(shop.settings.database_url)] == [{"acorn": 1, "bell": 1}]


def test_a_token_cannot_be_saved_when_its_answer_is_lost(tmp_path: Path) -> None:
    shop = node(tmp_path, "token")
    visitor = shop.visitor().login()
    tell(shop, errors="afterwards")
    visitor.add("acorn")
    tell(shop)
    assert visitor.cart() == {}


def test_the_log_tells_what_was_answered_and_what_was_done(shop: Node) -> None:
    tell(shop, errors="afterwards")
    credentials = {"user": "user-0001", "password": PASSWORD}
    shop.visitor().post("/login", credentials, **{"X-Request-Id": "r1"})
    tell(shop, errors="instead")
    shop.visitor().post("/login", credentials, **{"X-Request-Id": "r2"})
    records = list(read_request_log(shop.log))
    assert [(r.id, r.status) for r in records if isinstance(r, LoggedRequest)] == [("r1", 500), ("r2", 500)]
    assert [(r.id, r.event) for r in records if isinstance(r, LoggedSession)] == [("r1", "opened")]


def test_a_probe_suffers_and_is_not_logged(shop: Node) -> None:
    tell(shop, errors="instead")
    assert shop.visitor().get("/products", **{"X-Request-Id": "probe-7"}).status_code == 500
    tell(shop)
    assert shop.visitor().get("/products", **{"X-Request-Id": "probe-8"}).status_code == 200
    assert list(read_request_log(shop.log)) == []


def held(shop: Node) -> list[str]:
    sessions = shop.visitor().get("/-/sessions", **CONTROL).json["sessions"]
    return [session["user"] for session in sessions]


def test_a_cap_evicts_at_once_and_from_then_on(shop: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1_000_000.0]
    monkeypatch.setattr("cachelib.simple.time", lambda: clock[0])
    monkeypatch.setattr("stateful_app.sessions.time.time", lambda: clock[0])
    visitors: list[JsonVisitor] = []
    for number in range(1, 6):
        clock[0] += 10
        visitors.append(shop.visitor().login(f"user-{number:04d}"))
    clock[0] += 10
    visitors[0].add("acorn")
    tell(shop, session_cap=3)
    assert held(shop) == ["user-0001", "user-0004", "user-0005"]
    clock[0] += 10
    shop.visitor().login("user-0006")
    assert sorted(held(shop)) == ["user-0001", "user-0005", "user-0006"]
    assert [visitor.get("/me").status_code for visitor in visitors] == [200, 401, 401, 401, 200]
    tell(shop)
    for number in range(7, 10):
        shop.visitor().login(f"user-{number:04d}")
    assert len(held(shop)) == 6


def test_a_clock_that_is_ahead_means_nothing_to_a_memory(shop: Node) -> None:
    visitor = shop.visitor().login()
    tell(shop, clock_ahead_s=5)
    assert visitor.get("/me").status_code == 200
    tell(shop)
    assert visitor.get("/me").status_code == 200


def test_a_memory_forgets_by_its_own_clock(tmp_path: Path) -> None:
    shop = node(tmp_path, "memory", session_lifetime_s=60)
    visitor, later = shop.visitor().login(), shop.visitor()
    tell(shop, clock_ahead_s=90)
    assert visitor.get("/me").status_code == 401
    later.login("user-0002")
    assert later.get("/me").status_code == 200
    assert held(shop) == ["user-0002"]
