"""Tokens that can be revoked: what is asked, on which node, how long it is remembered, and what if the list is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from shared.request_log import LoggedSession, read_request_log
from shared.shop.signed_cookies import LastAnswers
from tests.shared.cures_contract import copy_of
from tests.shared.shops import Node, node
from tests.shared.valkey import Valkey, running_valkey

pytestmark = pytest.mark.cluster

TIMEOUT_S = 0.3


@pytest.fixture
def server() -> Iterator[Valkey]:
    with running_valkey() as running:
        yield running


@pytest.fixture
def client(server: Valkey) -> Iterator[Redis]:
    with Redis.from_url(server.url) as client:
        yield client


@pytest.fixture
def shop(tmp_path: Path, server: Valkey) -> Node:
    return node(tmp_path, "denylist", redis_url=server.url, store_timeout_s=TIMEOUT_S)


def sibling(shop: Node, tmp_path: Path, name: str = "n2", **changes: Any) -> Node:
    settings = {"redis_url": shop.settings.redis_url, "store_timeout_s": TIMEOUT_S, **changes}
    return node(tmp_path, "denylist", node=name, **settings)


def calls(client: Redis) -> dict[str, int]:
    """How often each command was asked since the last look, but for looking."""
    stats = client.info("commandstats")
    client.config_resetstat()
    ours = {name.removeprefix("cmdstat_"): int(each["calls"]) for name, each in stats.items()}
    return {name: count for name, count in ours.items() if name in {"mget", "set", "get", "exists", "del"}}


def test_a_logout_counts_on_every_node(shop: Node, tmp_path: Path) -> None:
    second = sibling(shop, tmp_path)
    visitor = shop.visitor().login()
    stolen = copy_of(visitor, second)
    visitor.add("acorn")
    assert stolen.get("/me").status_code == 200
    visitor.post("/logout")
    assert stolen.get("/me").status_code == 401


def test_an_older_cookie_of_the_same_login_is_revoked_too(shop: Node) -> None:
    visitor = shop.visitor().login()
    older = copy_of(visitor, shop)
    visitor.add("acorn")
    assert older.cart() == {}, "a token still shows what it was signed with"
    visitor.post("/logout")
    assert older.get("/me").status_code == 401


def test_everywhere_means_every_node(shop: Node, tmp_path: Path) -> None:
    second = sibling(shop, tmp_path)
    device, other_device = shop.visitor().login(), second.visitor().login()
    device.post("/logout/everywhere")
    assert other_device.get("/me").status_code == 401
    assert second.visitor().login().get("/me").status_code == 200


def test_each_request_of_a_user_is_one_question(shop: Node, client: Redis) -> None:
    visitor, stranger = shop.visitor().login(), shop.visitor()
    calls(client)
    visitor.get("/me")
    assert calls(client) == {"mget": 1}
    visitor.add("acorn")
    assert calls(client) == {"mget": 1}
    stranger.get("/products")
    stranger.get("/me")
    assert calls(client) == {}
    visitor.post("/logout")
    assert calls(client) == {"mget": 1, "set": 1}


def test_nothing_is_kept_longer_than_a_token_lives(shop: Node, tmp_path: Path, client: Redis) -> None:
    lenient = sibling(shop, tmp_path, session_lifetime_s=60, clock_leeway_s=5)
    lenient.visitor().login().post("/logout")
    lenient.visitor().login().post("/logout/everywhere")
    assert len(client.keys("*")) == 3
    assert all(60 < client.ttl(key) <= 65 for key in client.keys("*"))


def test_a_list_that_was_lost_revokes_nobody(shop: Node, client: Redis) -> None:
    visitor = shop.visitor().login()
    stolen = copy_of(visitor, shop)
    visitor.post("/logout")
    client.flushall()
    assert stolen.get("/me").status_code == 200


def test_without_the_list_nobody_is_let_in_or_out(server: Valkey, shop: Node) -> None:
    visitor = shop.visitor().login()
    server.kill()
    for method, path in (("GET", "/me"), ("POST", "/logout"), ("POST", "/logout/everywhere")):
        answer = visitor.ask(method, path)
        assert (answer.status_code, answer.json["error"]) == (503, "store_unavailable")
        assert "Set-Cookie" not in answer.headers
    assert shop.visitor().get("/products").status_code == 200, "strangers are not asked about"


def test_a_logout_that_cannot_be_written_is_none(shop: Node, client: Redis) -> None:
    visitor = shop.visitor().login()
    client.config_set("maxmemory", "1")
    answer = visitor.post("/logout")
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (503, False)
    client.config_set("maxmemory", "0")
    assert visitor.get("/me").status_code == 200


def test_a_revocation_by_a_clock_that_is_ahead_lasts_into_the_future(shop: Node, tmp_path: Path) -> None:
    second = sibling(shop, tmp_path)
    visitor = shop.visitor().login()
    shop.turn_clock(30)
    visitor.post("/logout/everywhere")
    assert second.visitor().login().get("/me").status_code == 401


def test_the_log_names_the_token(shop: Node) -> None:
    visitor = shop.visitor().login()
    visitor.post("/logout")
    records = [record for record in read_request_log(shop.log) if isinstance(record, LoggedSession)]
    assert [record.event for record in records] == ["opened", "ended"]
    assert records[0].session == records[1].session != ""


def test_a_deep_health_check_asks_and_a_shallow_one_does_not(server: Valkey, shop: Node, tmp_path: Path) -> None:
    deep = sibling(shop, tmp_path, deep_health=True)
    assert deep.visitor().get("/healthz").status_code == 200
    server.kill()
    answer = deep.visitor().get("/healthz")
    assert (answer.status_code, answer.json["ok"], answer.json["run"]) == (503, False, "0a1b2c3d")
    assert shop.visitor().get("/healthz").status_code == 200


def test_a_node_goes_by_the_last_answer_while_the_list_is_away(shop: Node, server: Valkey, tmp_path: Path) -> None:
    """For so long, about tokens that it has asked about, and not where nobody told it to."""
    patient, second = (sibling(shop, tmp_path, name, store_cache_s=5.0) for name in ("n2", "n3"))
    visitor = shop.visitor().login()
    here, there = copy_of(visitor, patient), copy_of(visitor, second)
    assert here.get("/me").status_code == there.get("/me").status_code == 200
    unseen = shop.visitor().login("user-0002")
    there.post("/logout")
    server.process.kill()
    server.process.wait()
    assert here.get("/me").status_code == 200, "the price: it was not told of the logout"
    assert copy_of(unseen, patient).get("/me").status_code == 503
    assert visitor.get("/me").status_code == 503


def test_a_last_answer_grows_old() -> None:
    def away() -> bool:
        raise ConnectionError

    answers = LastAnswers(0.05, (ConnectionError,))
    assert answers.to("a", lambda: False) is False
    assert answers.to("a", away) is False
    time.sleep(0.06)
    with pytest.raises(ConnectionError):
        answers.to("a", away)
