"""What is special about sessions outside of the node: any node will do, and the store can be away."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from shared.errors import UsageError
from shared.shop.database import read_orders
from shared.shop.settings import Settings
from stateless_app.sessions import session_store
from tests.shared.shops import CONTROL_TOKEN, JsonVisitor, Node, node
from tests.shared.valkey import Valkey, running_valkey

UNAVAILABLE = {"error": "store_unavailable", "message": "the session store cannot be reached"}
TIMEOUT_S = 0.3


def carried_over(visitor: JsonVisitor, other: Node) -> JsonVisitor:
    """The same browser, at another node."""
    moved, cookie = other.visitor(), visitor.client.get_cookie("session")
    assert cookie is not None
    moved.client.set_cookie("session", cookie.value)
    return moved


@pytest.fixture
def server() -> Iterator[Valkey]:
    """A server that a test may break."""
    with running_valkey() as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, server: Valkey) -> Node:
    return node(tmp_path, "redis", redis_url=server.url, store_timeout_s=TIMEOUT_S)


def test_a_token_is_good_at_every_node_with_the_same_key(tmp_path: Path) -> None:
    first, second = node(tmp_path, "token"), node(tmp_path, "token", node="n2")
    stranger = node(tmp_path, "token", node="n3", secret_key="another secret key")
    visitor = first.visitor().login()
    visitor.add("acorn", 3)
    assert carried_over(visitor, second).get("/me").json == {"user": "user-0001", "node": "n2", "cart": {"acorn": 3}}
    assert carried_over(visitor, stranger).get("/me").status_code == 401


def test_a_node_without_memory_holds_nothing(tmp_path: Path) -> None:
    shop = node(tmp_path, "token")
    shop.visitor().login()
    assert shop.visitor().get("/-/sessions", **{"X-Control-Token": CONTROL_TOKEN}).json["sessions"] == []


@pytest.mark.parametrize("store", ["memory", "postgres"])
def test_it_has_no_other_store(store: str) -> None:
    with pytest.raises(UsageError, match=store):
        session_store(Settings(database_url="sqlite://", secret_key="x" * 8, store=store))


@pytest.mark.cluster
def test_a_session_in_redis_is_good_at_every_node(tmp_path: Path, server: Valkey, shop: Node) -> None:
    visitor = shop.visitor().login()
    visitor.add("acorn", 3)
    second = node(tmp_path, "redis", node="n2", redis_url=server.url)
    assert carried_over(visitor, second).get("/me").json == {"user": "user-0001", "node": "n2", "cart": {"acorn": 3}}


@pytest.mark.cluster
def test_a_session_in_redis_has_a_lifetime(server: Valkey, shop: Node) -> None:
    shop.visitor().login()
    with Redis.from_url(server.url) as client:
        (key,) = client.keys("session:*")
        assert 3500 < client.ttl(key) <= 3600


@pytest.mark.cluster
def test_a_dead_store_is_said_and_not_waited_for(server: Valkey, shop: Node, caplog: pytest.LogCaptureFixture) -> None:
    visitor, reader = shop.visitor().login(), shop.reader().login()
    visitor.add("acorn")
    server.kill()
    for method, path in (("GET", "/me"), ("GET", "/products"), ("POST", "/checkout"), ("POST", "/logout")):
        started = time.monotonic()
        answer = visitor.ask(method, path)
        assert (answer.status_code, answer.json) == (503, UNAVAILABLE)
        assert time.monotonic() - started < 10 * TIMEOUT_S
    assert shop.visitor().post("/login", {"user": "user-0001", "password": "correct horse"}).json == UNAVAILABLE
    page = reader.get("/cart")
    assert (page.status_code, "One moment, please" in page.text) == (503, True)
    assert visitor.get("/healthz").status_code == 200
    assert read_orders(shop.settings.database_url) == []
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR], "an outage is no bug of ours"


@pytest.mark.cluster
def test_a_frozen_store_is_waited_for_once(server: Valkey, shop: Node) -> None:
    visitor = shop.visitor().login()
    server.freeze()
    try:
        started = time.monotonic()
        assert visitor.get("/me").json == UNAVAILABLE
        took = time.monotonic() - started
    finally:
        server.thaw()
    assert TIMEOUT_S * 0.9 < took < TIMEOUT_S * 2 + 1
    assert visitor.get("/me").status_code == 200


@pytest.mark.cluster
def test_retries_are_a_setting(tmp_path: Path, server: Valkey) -> None:
    patient = node(tmp_path, "redis", redis_url=server.url, store_timeout_s=TIMEOUT_S, store_retries=2)
    visitor = patient.visitor().login()
    server.freeze()
    try:
        started = time.monotonic()
        assert visitor.get("/me").json == UNAVAILABLE
        took = time.monotonic() - started
    finally:
        server.thaw()
    assert TIMEOUT_S * 2.9 < took < TIMEOUT_S * 6 + 1


@pytest.mark.cluster
def test_a_store_that_refuses_writes_makes_no_false_success(server: Valkey, shop: Node) -> None:
    visitor = shop.visitor().login()
    visitor.add("acorn")
    with Redis.from_url(server.url) as client:
        client.config_set("maxmemory", "1")
        answer = visitor.add("bell")
        assert (answer.status_code, answer.json) == (503, UNAVAILABLE)
        assert "Set-Cookie" not in answer.headers
        assert visitor.cart() == {"acorn": 1}
        client.config_set("maxmemory", "0")
    assert visitor.add("bell").json == {"cart": {"acorn": 1, "bell": 1}}


@pytest.mark.cluster
def test_a_store_that_came_back_empty_knows_nobody(server: Valkey, shop: Node) -> None:
    visitor = shop.visitor().login()
    with Redis.from_url(server.url) as client:
        client.flushall()
    answer = visitor.get("/me")
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (401, False)
