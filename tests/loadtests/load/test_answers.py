from __future__ import annotations

import pytest

from compose.applications import SHIPPED
from loadtests.load.answers import Reading, ShopAnswer, ShownState, foreign
from loadtests.model.history import UNREADABLE, Do, Jar
from loadtests.model.plan import Action
from tests.loadtests.load.shop_client import shop_client


def asked(do: Do, answer: ShopAnswer, jar: Jar = "main") -> Reading:
    """What a shopper makes of the shop's answer: one request, one answer."""
    steps = shop_client(7).steps(Action(0, do, "bell", 1, "k1", jar=jar))
    next(steps)
    with pytest.raises(StopIteration) as end:
        steps.send(answer)
    reading: Reading = end.value.value
    return reading


@pytest.mark.parametrize(
    ("status", "error", "sent", "read", "write"),
    [
        (200, "", True, "ok", "ok"),
        (201, "", True, "ok", "ok"),
        (302, "", True, "failed", "failed"),
        (401, "", True, "failed", "failed"),
        (429, "", True, "failed", "failed"),
        (500, "", True, "failed", "unknown"),
        (503, "", True, "failed", "unknown"),
        (0, "timeout", True, "failed", "unknown"),
        (0, "reset", True, "failed", "unknown"),
        (0, "refused", False, "failed", "failed"),
        (0, "connect_timeout", False, "failed", "failed"),
    ],
)
def test_outcomes(status: int, error: str, sent: bool, read: str, write: str) -> None:
    answer = ShopAnswer(0, 1, status, error, sent, body=b'{"user": "user-0007"}')
    reads: tuple[Do, ...] = ("browse", "cart", "orders", "me")
    writes: tuple[Do, ...] = ("login", "add", "remove", "checkout", "logout")
    assert {asked(do, answer).outcome for do in reads} == {read}
    assert {asked(do, answer).outcome for do in writes} == {write}


@pytest.mark.parametrize(
    ("status", "headers", "is_foreign"),
    [
        (200, {"X-Run": "mine"}, False),
        (401, {"X-Run": "mine"}, False),
        (200, {"X-Run": "other"}, True),
        (200, {}, True),
        (503, {}, True),
        (503, {"Server": "envoy"}, False),
        (504, {"Server": "envoy"}, False),
        (200, {"Server": "envoy", "x-envoy-upstream-service-time": "3"}, True),
        (503, {"Server": "envoy", "x-envoy-upstream-service-time": "3", "X-Run": "mine"}, False),
        (0, None, False),
    ],
)
def test_an_answer_is_ours_or_the_balancers_own_or_foreign(
    status: int, headers: dict[str, str] | None, is_foreign: bool
) -> None:
    answer = ShopAnswer(0, 1, status, headers=headers)
    assert bool(foreign(answer, "mine", "X-Run")) is is_foreign
    assert not foreign(answer, "", "X-Run")


def test_what_an_answer_shows_is_read_and_what_it_does_not_show_is_nothing() -> None:
    def shown(body: bytes, status: int = 200) -> Reading:
        return asked("cart", ShopAnswer(0, 1, status, body=body))

    known = shown(b'{"user": "user-0001", "node": "n1", "cart": {"bell": 2}}').shown
    assert known == ShownState("user-0001", {"bell": 2})
    assert shown(b'{"orders": []}').shown == ShownState(orders=())
    ordered = shown(b'{"order": "o1", "orders": [{"order": "o1", "cart": {}}]}').shown
    assert ordered == ShownState(order="o1", orders=("o1",))
    wrong = (b"<html>", b"", b"null", b"[]", b'{"cart": {"bell": "two"}}', b'{"orders": [{}]}', b'{"order": 1}')
    for unreadable in wrong:
        assert shown(unreadable) == Reading("failed", error=UNREADABLE), unreadable
    assert shown(b"<html>", 404) == Reading("failed")


@pytest.mark.parametrize(
    ("status", "jar", "outcome"),
    [
        (200, "stolen", "ok"),
        (401, "stolen", "ok"),
        (401, "second", "ok"),
        (401, "planted", "ok"),
        (401, "main", "failed"),
        (503, "stolen", "failed"),
        (0, "stolen", "failed"),
        (429, "planted", "failed"),
    ],
)
def test_turned_away_with_somebody_elses_cookies_is_a_proper_answer(status: int, jar: Jar, outcome: str) -> None:
    assert asked("me", ShopAnswer(0, 1, status, body=b'{"user": "user-0007"}'), jar).outcome == outcome
    assert asked("login", ShopAnswer(0, 1, 401), jar).outcome == "failed"


def test_what_is_sent_to_the_shop() -> None:
    """To the byte: other clients than ours use this interface, too."""
    sent = {do: shop_client(7).request_of(Action(0, do, "bell", 2, "k1")) for do in SHIPPED.interface.calls}
    accepts, types = {"Accept": "application/json"}, {"Content-Type": "application/json"}
    assert sent["login"] == ("POST", "/login", accepts | types, b'{"user":"user-0007","password":"secret"}')
    assert sent["add"] == ("POST", "/cart", accepts | types, b'{"sku":"bell","quantity":2}')
    assert sent["remove"] == ("DELETE", "/cart/bell", accepts | types, b"")
    assert sent["checkout"] == ("POST", "/checkout", accepts | {"Idempotency-Key": "k1"} | types, b"{}")
    assert sent["arrive"] == ("GET", "/login", {"Accept": "text/html"}, b"")
