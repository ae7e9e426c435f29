"""What is special about sessions outside of the node: any node will do, and the store can be away."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from string import ascii_lowercase, digits

import pytest
from redis import Redis
from redis.connection import AbstractConnection
from redis.exceptions import TimeoutError as RedisTimeout

from shared.errors import UsageError
from shared.sessions import fingerprint
from shared.shop.database import read_orders
from shared.shop.settings import Settings
from stateless_app.sessions import session_store
from tests.shared.shops import CONTROL_TOKEN, JsonVisitor, Node, node
from tests.shared.valkey import Valkey, running_valkey

UNAVAILABLE = {"error": "store_unavailable", "message": "the session store cannot be reached"}
TIMEOUT_S = 0.3
ARTICLES = 190
"""Made to order: a token with so many does not fit into one cookie."""
PATIENT_S = 40.0


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


def test_a_session_beyond_one_cookie_is_split_if_so_set(tmp_path: Path) -> None:
    """Browsers ignore a cookie of more than 4,096 bytes, with its name."""
    shop, other = (node(tmp_path, "token", node=name, cookie_chunks=True) for name in ("n1", "n2"))
    visitor, chance = shop.visitor().login(), Random(1)
    for _ in range(ARTICLES):
        visitor.add(f"engraved-{''.join(chance.choices(ascii_lowercase + digits, k=24))}")
    pieces = {cookie.decoded_key: cookie.decoded_value for cookie in visitor.client._cookies.values()}
    assert sorted(pieces) == ["session", "session-1"]
    assert max(len(name) + len(value) for name, value in pieces.items()) <= 4096
    moved = other.visitor()
    for name, value in pieces.items():
        moved.client.set_cookie(name, value)
    assert len(moved.get("/cart").json["cart"]) == ARTICLES
    moved.client.delete_cookie("session-1")
    assert moved.get("/cart").status_code == 401, "a piece is missing"
    visitor.post("/checkout")
    left = [cookie.decoded_key for cookie in visitor.client._cookies.values() if cookie.decoded_value]
    assert left == ["session"], "what is needed no more is deleted"


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
def test_a_dead_store_is_said_and_not_waited_for(
    server: Valkey, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shop = node(tmp_path, "redis", redis_url=server.url, store_timeout_s=PATIENT_S)
    visitor, reader = shop.visitor().login(), shop.reader().login()
    visitor.add("acorn")
    server.kill()
    for method, path in (("GET", "/me"), ("GET", "/products"), ("POST", "/checkout"), ("POST", "/logout")):
        started = time.monotonic()
        answer = visitor.ask(method, path)
        assert (answer.status_code, answer.json) == (503, UNAVAILABLE)
        assert time.monotonic() - started < PATIENT_S / 2
    assert shop.visitor().post("/login", {"user": "user-0001", "password": "correct horse"}).json == UNAVAILABLE
    assert visitor.post("/cart", b" " * 20_000).status_code == 413, "nobody needs the store to see that"
    page = reader.get("/cart")
    assert (page.status_code, "One moment, please" in page.text) == (503, True)
    assert visitor.get("/healthz").status_code == 200
    assert read_orders(shop.settings.database_url) == []
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR], "an outage is no bug of ours"


def waits_for_frozen(server: Valkey, visitor: JsonVisitor, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often an answer of the store is waited for, each time for as long as the setting says."""
    waits: list[float] = []
    read = AbstractConnection.read_response

    def timed_read(connection: AbstractConnection, *arguments: object, **more: object) -> object:
        began = time.monotonic()
        try:
            return read(connection, *arguments, **more)  # type: ignore[arg-type]
        except RedisTimeout:
            waits.append(time.monotonic() - began)
            raise

    monkeypatch.setattr(AbstractConnection, "read_response", timed_read)
    server.freeze()
    try:
        assert visitor.get("/me").json == UNAVAILABLE
    finally:
        server.thaw()
    assert all(wait > TIMEOUT_S * 0.9 for wait in waits), waits
    return len(waits)


@pytest.mark.cluster
def test_a_frozen_store_is_waited_for_once(server: Valkey, shop: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = shop.visitor().login()
    assert waits_for_frozen(server, visitor, monkeypatch) == 1
    assert visitor.get("/me").status_code == 200


@pytest.mark.cluster
def test_retries_are_a_setting(tmp_path: Path, server: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = node(tmp_path, "redis", redis_url=server.url, store_timeout_s=TIMEOUT_S, store_retries=2)
    visitor = patient.visitor().login()
    assert waits_for_frozen(server, visitor, monkeypatch) == 3


@pytest.mark.cluster
def test_a_pool_that_is_used_up_refuses_at_once(tmp_path: Path, server: Valkey) -> None:
    """Nothing is asked meanwhile: the store is well, and nobody is logged out."""
    shop = node(tmp_path, "redis", redis_url=server.url, store_connections=1)
    visitor, pool = shop.visitor().login(), shop.app.config["SESSION_REDIS"].connection_pool
    leaked = pool.get_connection()
    assert visitor.get("/me").json == UNAVAILABLE
    pool.release(leaked)
    assert visitor.get("/me").status_code == 200


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


@pytest.mark.cluster
def test_logging_out_everywhere_reaches_every_node(tmp_path: Path, server: Valkey, shop: Node) -> None:
    second = node(tmp_path, "redis", node="n2", redis_url=server.url)
    device, other_device = shop.visitor().login(), second.visitor().login()
    somebody_else = second.visitor().login("user-0002")
    device.post("/logout/everywhere")
    assert other_device.get("/me").status_code == 401
    assert somebody_else.get("/me").status_code == 200
    with Redis.from_url(server.url) as client:
        assert sorted(client.keys("*")) == sorted(
            [b"sessions-of:user-0002", *(key for key in client.keys("session:*"))]
        )
        assert len(client.keys("session:*")) == 1


@pytest.mark.cluster
def test_a_users_ids_are_forgotten_once_their_sessions_are_over(
    server: Valkey, shop: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Redis.from_url(server.url) as client:
        for _ in range(3):
            shop.visitor().login()
        assert client.zcard("sessions-of:user-0001") == 3
        kept, *over = client.keys("session:*")
        client.delete(*over)
        monkeypatch.setattr("stateless_app.sessions._NEW_S", -1)
        shop.visitor().login()
        left = {b"session:" + each for each in client.zrange("sessions-of:user-0001", 0, -1)}
        assert left >= {kept}
        assert not left & set(over)


@pytest.mark.cluster
def test_a_cart_that_somebody_else_holds_is_waited_for_and_given_up(
    tmp_path: Path, server: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stateless_app.sessions.CART_WAIT_S", 0.1)
    shop = node(tmp_path, "redis", redis_url=server.url, cart_lock=True)
    visitor = shop.visitor().login()
    cookie = visitor.client.get_cookie("session")
    assert cookie is not None
    with Redis.from_url(server.url) as client:
        name = f"cart-lock:{fingerprint(cookie.value)}"
        client.set(name, "of another node")
        answer = visitor.add("acorn")
        assert (answer.status_code, answer.json) == (503, UNAVAILABLE)
        assert visitor.get("/cart").status_code == 200, "reading waits for nobody"
        client.delete(name)
        assert visitor.add("acorn").status_code == 200
        assert not client.exists(name)


@pytest.mark.cluster
def test_a_lock_that_was_lost_meanwhile_hides_no_answer(
    tmp_path: Path, server: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = node(tmp_path, "redis", redis_url=server.url, cart_lock=True)
    visitor = shop.visitor().login()
    with Redis.from_url(server.url) as client:

        def lose_the_lock(*arguments: object) -> dict[str, int]:
            client.delete(*client.keys("cart-lock:*"))
            return {"acorn": 1}

        monkeypatch.setattr("shared.shop.catalogue.added", lose_the_lock)
        assert visitor.add("acorn").json == {"cart": {"acorn": 1}}
