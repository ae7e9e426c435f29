"""Signed cookies on clocks that are wrong, and under keys that change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.shared.shops import JsonVisitor, Node, node

OLD, NEW = "the secret key of the tests", "the key that comes after it"


@pytest.fixture
def cluster(tmp_path: Path) -> Any:
    def make(count: int = 2, **changes: Any) -> list[Node]:
        return [node(tmp_path, "token", node=f"n{number}", **changes) for number in range(1, count + 1)]

    return make


def moved(visitor: JsonVisitor, to: Node) -> JsonVisitor:
    """The same browser, at another node."""
    there, cookie = to.visitor(), visitor.client.get_cookie("session")
    assert cookie is not None
    there.client.set_cookie("session", cookie.value)
    return there


def status(visitor: JsonVisitor, at: Node) -> int:
    return moved(visitor, at).get("/me").status_code


def test_a_token_from_the_future_is_refused(cluster: Any) -> None:
    first, second = cluster()
    first.turn_clock(5)
    visitor = first.visitor().login()
    assert (status(visitor, first), status(visitor, second)) == (200, 401)
    assert status(second.visitor().login(), first) == 200, "one from the past is only older"
    first.turn_clock(0)
    assert status(visitor, first) == 401


def test_leeway_is_how_far_ahead_it_may_be(cluster: Any) -> None:
    first, second = cluster(clock_leeway_s=10)
    for seconds, accepted in ((5, 200), (9, 200), (30, 401)):
        first.turn_clock(seconds)
        assert status(first.visitor().login(), second) == accepted, seconds


def test_leeway_makes_no_token_live_longer(cluster: Any) -> None:
    first, second = cluster(clock_leeway_s=100, session_lifetime_s=60)
    visitor = first.visitor().login()
    second.turn_clock(59)
    assert status(visitor, second) == 200
    second.turn_clock(62)
    assert status(visitor, second) == 401


def test_leeway_forgives_no_forgery(cluster: Any) -> None:
    first, _ = cluster(clock_leeway_s=10)
    (stranger,) = cluster(1, secret_key=NEW)
    first.turn_clock(5)
    assert status(first.visitor().login(), stranger) == 401


def test_a_key_swapped_hard(cluster: Any, tmp_path: Path) -> None:
    before = node(tmp_path, "token", secret_key=OLD)
    after = node(tmp_path, "token", node="n2", secret_key=NEW)
    assert status(before.visitor().login(), after) == status(after.visitor().login(), before) == 401


def test_a_fallback_is_accepted_and_not_used(tmp_path: Path) -> None:
    before = node(tmp_path, "token", secret_key=OLD)
    after = node(tmp_path, "token", node="n2", secret_key=NEW, fallback_key=OLD)
    visitor = before.visitor().login()
    assert status(visitor, after) == 200
    assert status(after.visitor().login(), before) == 401, "the new key is not known there"
    at_second = moved(visitor, after)
    at_second.add("acorn")
    assert status(at_second, before) == 401, "what is written is signed with the new key"
    prepared = node(tmp_path, "token", node="n3", secret_key=OLD, fallback_key=NEW)
    assert status(at_second, prepared) == 200, "two phases: everybody knows the new key before anybody uses it"


def test_forms_too(tmp_path: Path) -> None:
    before = node(tmp_path, "token", secret_key=OLD)
    after = node(tmp_path, "token", node="n2", secret_key=NEW, fallback_key=OLD)
    hard = node(tmp_path, "token", node="n3", secret_key=NEW)
    reader = before.reader().login()
    form = reader.get("/").text.split('name="csrf_token" value="')[1].split('"')[0]
    cookie = reader.client.get_cookie("session")
    assert cookie is not None
    answers = []
    for shop in (after, hard):
        there = shop.reader()
        there.client.set_cookie("session", cookie.value)
        answers.append(there.send("/cart", sku="acorn", quantity="1", csrf_token=form).status_code)
    assert answers == [303, 401]
