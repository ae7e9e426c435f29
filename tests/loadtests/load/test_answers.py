from __future__ import annotations

import pytest

from loadtests.load.answers import ShopAnswer, foreign, outcome_of, read_answer
from loadtests.model.history import Do


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
    answer = ShopAnswer(0, 1, status, error, sent)
    reads: tuple[Do, ...] = ("browse", "cart", "orders", "me")
    writes: tuple[Do, ...] = ("login", "add", "remove", "checkout", "logout")
    assert {outcome_of(do, answer) for do in reads} == {read}
    assert {outcome_of(do, answer) for do in writes} == {write}


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
    assert bool(foreign(answer, "mine")) is is_foreign
    assert not foreign(answer, "")


def test_what_an_answer_shows_is_read_and_what_it_does_not_show_is_nothing() -> None:
    shown = read_answer(ShopAnswer(0, 1, 200, body=b'{"user": "user-0001", "node": "n1", "cart": {"bell": 2}}'))
    assert shown is not None
    assert (shown.user, shown.cart, shown.order, shown.orders) == ("user-0001", {"bell": 2}, "", None)
    empty = read_answer(ShopAnswer(0, 1, 200, body=b'{"orders": []}'))
    assert empty is not None
    assert empty.orders == ()
    assert read_answer(ShopAnswer(0, 1, 200, body=b"<html>")) is None
    assert read_answer(ShopAnswer(0, 1, 200, body=b'{"cart": {"bell": "two"}}')) is None
    refused = read_answer(ShopAnswer(0, 1, 404, body=b"<html>"))
    assert refused is not None
    assert refused.cart is None
