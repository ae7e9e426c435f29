"""The limit on what one user may ask for: whose it is, what it leaves alone, and who counts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tests.shared.cures_contract import copy_of
from tests.shared.shops import JsonVisitor, Node, node
from tests.shared.valkey import Valkey, running_valkey

LIMIT = "3 per hour"
REFUSED = "too_many_requests"


def limited(folder: Path, store: str = "memory", **changes: Any) -> Node:
    return node(folder, store, rate_limit=LIMIT, **changes)


def ask(visitor: JsonVisitor, times: int, **headers: str) -> list[int]:
    return [visitor.get("/me", **headers).status_code for _ in range(times)]


def test_all_pages_of_a_user_count_together(tmp_path: Path) -> None:
    shop = limited(tmp_path)
    visitor, other = shop.visitor().login(), shop.visitor().login("user-0002")
    assert [visitor.get(path).status_code for path in ("/me", "/cart", "/orders", "/products")] == [200, 200, 200, 429]
    answer = visitor.add("acorn")
    assert (answer.status_code, answer.json["error"]) == (429, REFUSED)
    assert ask(other, 4) == [200, 200, 200, 429]


def test_two_devices_of_a_user_share_it(tmp_path: Path) -> None:
    shop = limited(tmp_path)
    assert ask(shop.visitor().login(), 2) + ask(shop.visitor().login(), 2) == [200, 200, 200, 429]


def test_a_page_for_a_person(tmp_path: Path) -> None:
    reader = limited(tmp_path).reader().login()
    answers = [reader.get("/") for _ in range(5)]
    assert (answers[-1].status_code, answers[-1].mimetype) == (429, "text/html")
    assert "429 too_many_requests" in answers[-1].text


def test_watchers_and_pictures_are_free(tmp_path: Path) -> None:
    visitor = limited(tmp_path).visitor().login()
    ask(visitor, 4)
    for path in ("/healthz", "/metrics", "/static/shop.css"):
        answer = visitor.get(path)
        assert answer.status_code == 200
        answer.close()


def test_strangers_are_told_apart_by_the_address_that_the_balancer_passes_on(tmp_path: Path) -> None:
    shop = limited(tmp_path)
    stranger = shop.visitor()
    assert ask(stranger, 4, **{"X-Forwarded-For": "10.0.0.9, 10.0.0.1"}) == [401, 401, 401, 429]
    assert ask(stranger, 1, **{"X-Forwarded-For": "10.0.0.1, 10.0.0.2"}) == [401]
    assert ask(stranger, 5) == [401] * 5, "behind a balancer that passes none on, they would all be one"


def test_each_node_counts_for_itself(tmp_path: Path) -> None:
    first, second = limited(tmp_path, "token"), limited(tmp_path, "token", node="n2")
    visitor = first.visitor().login()
    assert ask(visitor, 4) + ask(copy_of(visitor, second), 4) == [200, 200, 200, 429] * 2


def test_without_a_limit_nothing_of_it_is_loaded(tmp_path: Path) -> None:
    code = (
        "import sys; from shared.shop.database import prepare; from shared.shop.settings import Settings; "
        f"url = 'sqlite:///{tmp_path}/x'; prepare(url, accounts=1, password='x', cost=128); import stateless_app; "
        "stateless_app.create_app(Settings(database_url=url, secret_key='x' * 8)); "
        "print({'flask_limiter', 'limits', 'redis', 'prometheus_client', 'flask_session'} & sys.modules.keys())"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


@pytest.fixture
def server() -> Iterator[Valkey]:
    with running_valkey() as running:
        yield running


@pytest.mark.cluster
@pytest.mark.parametrize("store", ["redis", "denylist"])
def test_in_the_store_all_nodes_count_together(tmp_path: Path, server: Valkey, store: str) -> None:
    settings = {"redis_url": server.url, "rate_limit_counters": "store"}
    first, second = limited(tmp_path, store, **settings), limited(tmp_path, store, node="n2", **settings)
    visitor = first.visitor().login()
    moved = copy_of(visitor, second)
    assert ask(visitor, 2) + ask(moved, 3) == [200, 200, 200, 429, 429]
    with Redis.from_url(server.url) as client:
        assert len([key for key in client.keys("*") if b"user-0001" in key and not key.startswith(b"sessions-of")]) == 1


@pytest.mark.cluster
def test_a_store_that_cannot_be_reached_is_said(tmp_path: Path, server: Valkey) -> None:
    shop = limited(tmp_path, "redis", redis_url=server.url, rate_limit_counters="store", store_timeout_s=0.3)
    visitor = shop.visitor().login()
    server.kill()
    answer = visitor.get("/me")
    assert (answer.status_code, answer.json["error"]) == (503, "store_unavailable")
