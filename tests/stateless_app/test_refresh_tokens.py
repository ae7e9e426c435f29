"""Refresh tokens: each good for one use, who shows one twice, what a stolen one is worth, and what ends them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tests.shared.shops import JsonVisitor, Node, node
from tests.shared.valkey import Valkey, running_valkey, valkey
from tests.waiting import until

__all__ = ["valkey"]

pytestmark = pytest.mark.cluster

ACCESS_S = 60
COOKIES = ("session", "session-refresh")


@pytest.fixture(params=["refresh", "refresh-database"])
def settings(request: pytest.FixtureRequest, valkey: Valkey) -> Iterator[dict[str, Any]]:
    """Of a shop whose access tokens are over soon, for each place where refresh tokens can be."""
    yield {"store": request.param, "access_lifetime_s": ACCESS_S, "redis_url": valkey.url}
    with Redis.from_url(valkey.url) as client:
        client.flushall()


@pytest.fixture
def shop(tmp_path: Path, settings: dict[str, Any]) -> Node:
    return node(tmp_path, **settings)


def copy_of(visitor: JsonVisitor, shop: Node) -> JsonVisitor:
    """Another browser with the same cookies."""
    other = shop.visitor()
    for name in COOKIES:
        cookie = visitor.client.get_cookie(name)
        assert cookie is not None
        other.client.set_cookie(name, cookie.value)
    return other


def over(shop: Node, times: int = 1) -> None:
    """Access tokens are over, those too that were issued when they were over for the so-manieth time."""
    shop.turn_clock(times * (ACCESS_S + 1))


def who(visitor: JsonVisitor) -> int:
    return visitor.get("/me").status_code


def refresh_token(visitor: JsonVisitor) -> str:
    cookie = visitor.client.get_cookie("session-refresh")
    assert cookie is not None
    return cookie.value


def test_whoever_comes_back_later_is_known_and_has_another_token(shop: Node) -> None:
    visitor = shop.visitor().login()
    visitor.add("acorn")
    before = refresh_token(visitor)
    assert (who(visitor), refresh_token(visitor)) == (200, before)
    over(shop)
    assert visitor.cart() == {"acorn": 1}
    assert refresh_token(visitor) != before


def test_changing_the_cart_does_not_make_an_access_token_live_longer(shop: Node) -> None:
    visitor = shop.visitor().login()
    before = refresh_token(visitor)
    for ahead_s in range(0, ACCESS_S - 10, 10):
        shop.turn_clock(ahead_s)
        visitor.add("acorn")
        assert refresh_token(visitor) == before
    over(shop)
    visitor.add("acorn")
    assert refresh_token(visitor) != before


def test_who_shows_a_token_twice_is_out_everywhere(shop: Node) -> None:
    visitor = shop.visitor().login()
    twin = copy_of(visitor, shop)
    over(shop)
    assert (who(visitor), who(twin)) == (200, 401)
    over(shop, 2)
    assert who(visitor) == 401, "the family was ended, and the access token is over"


def test_within_the_grace_window_both_get_the_same(tmp_path: Path, settings: dict[str, Any]) -> None:
    shop = node(tmp_path, **settings, refresh_grace_s=600)
    visitor = shop.visitor().login()
    twin = copy_of(visitor, shop)
    over(shop)
    assert (who(visitor), who(twin)) == (200, 200)
    assert refresh_token(visitor) == refresh_token(twin)


def test_after_the_grace_window_it_is_as_without(tmp_path: Path, settings: dict[str, Any]) -> None:
    shop = node(tmp_path, **settings, refresh_grace_s=0.1)
    visitor = shop.visitor().login()
    twin = copy_of(visitor, shop)
    over(shop)
    assert who(visitor) == 200
    time.sleep(0.12)
    assert who(twin) == 401


def test_a_thief_is_found_at_the_owners_next_refresh(shop: Node) -> None:
    owner = shop.visitor().login()
    thief = copy_of(owner, shop)
    over(shop)
    assert who(thief) == 200, "nobody can tell who it is"
    over(shop, 2)
    assert who(owner) == 401
    over(shop, 3)
    assert who(thief) == 401, "both are out"


def test_a_logout_ends_the_family_and_not_the_access_token(shop: Node) -> None:
    owner = shop.visitor().login()
    thief = copy_of(owner, shop)
    assert owner.post("/logout").status_code == 200
    assert (who(owner), who(thief)) == (401, 200)
    over(shop)
    assert who(thief) == 401


def test_everywhere_means_every_family_of_the_user(shop: Node) -> None:
    device, other, stranger = shop.visitor().login(), shop.visitor().login(), shop.visitor().login("user-0002")
    device.post("/logout/everywhere")
    over(shop)
    assert (who(other), who(stranger)) == (401, 200)


def test_a_session_has_an_absolute_end(tmp_path: Path, settings: dict[str, Any]) -> None:
    shop = node(tmp_path, **{**settings, "access_lifetime_s": 0.2}, session_absolute_s=1)
    since = time.monotonic()
    visitor = shop.visitor().login()
    assert until(lambda: who(visitor) == 401), "it was used all the time, and lived on"
    assert time.monotonic() - since >= 0.9


def test_another_key_ends_no_session(tmp_path: Path, settings: dict[str, Any]) -> None:
    shop = node(tmp_path, **settings)
    visitor = shop.visitor().login()
    visitor.add("acorn")
    rekeyed = copy_of(visitor, node(tmp_path, **settings, node="n2", secret_key="another secret key"))
    assert rekeyed.cart() == {}, "what the access token held nobody can vouch for"
    kept = node(tmp_path, **settings, node="n3", secret_key="another one", fallback_key="another secret key")
    assert who(copy_of(rekeyed, kept)) == 200


def test_a_clock_that_is_ahead_only_asks_earlier(tmp_path: Path, settings: dict[str, Any]) -> None:
    shop = node(tmp_path, **settings)
    visitor = shop.visitor().login()
    before = refresh_token(visitor)
    shop.turn_clock(120)
    assert (who(visitor), refresh_token(visitor) != before) == (200, True)


@pytest.mark.parametrize("shown", ["", "nothing", "no.such", "a.b.c", "." * 9])
def test_what_is_no_refresh_token(shop: Node, shown: str) -> None:
    visitor = shop.visitor()
    visitor.client.set_cookie("session-refresh", shown)
    visitor.client.set_cookie("session", "eyJhbGciOiJub25lIn0.e30.")
    assert who(visitor) == 401


def test_while_the_store_is_down_who_has_an_access_token_shops_on(tmp_path: Path) -> None:
    with running_valkey() as server:
        shop = node(tmp_path, "refresh", redis_url=server.url, access_lifetime_s=ACCESS_S, store_timeout_s=0.3)
        visitor = shop.visitor().login()
        server.kill()
        assert who(visitor) == 200
        over(shop)
        assert who(visitor) == 503, "its access token was never over"
