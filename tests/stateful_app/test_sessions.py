"""What is special about sessions in the memory of a node: they are its own, countable, and limited."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from shared.errors import UsageError
from shared.request_log import LoggedSession, read_request_log
from shared.sessions import fingerprint
from shared.shop.settings import Settings
from stateful_app.sessions import session_store
from tests.shared.shops import CONTROL_TOKEN, JsonVisitor, Node, node


def held(shop: Node) -> list[dict[str, str]]:
    answer = shop.visitor().get("/-/sessions", **{"X-Control-Token": CONTROL_TOKEN})
    sessions: list[dict[str, str]] = answer.json["sessions"]
    return sessions


def test_a_node_lists_the_logged_in_sessions_that_it_holds(tmp_path: Path) -> None:
    shop = node(tmp_path, "memory")
    visitors = [shop.visitor().login(user) for user in ("user-0001", "user-0002", "user-0001")]
    shop.reader().get("/login")  # an anonymous session, with a form's token in it
    shop.visitor().get("/products")
    assert sorted(session["user"] for session in held(shop)) == ["user-0001", "user-0001", "user-0002"]
    ids = [cookie.value for visitor in visitors if (cookie := visitor.client.get_cookie("session"))]
    assert {session["session"] for session in held(shop)} == {fingerprint(session_id) for session_id in ids}
    visitors[0].post("/logout")
    assert sorted(session["user"] for session in held(shop)) == ["user-0001", "user-0002"]


def test_the_log_and_the_list_name_sessions_alike(tmp_path: Path) -> None:
    shop = node(tmp_path, "memory")
    shop.visitor().login()
    logged = [record.session for record in read_request_log(shop.log) if isinstance(record, LoggedSession)]
    assert logged == [session["session"] for session in held(shop)]


def test_another_node_knows_nothing_and_the_first_still_does(tmp_path: Path) -> None:
    """Flicker: out on one node, in again on the next, as long as none of them writes an anonymous session."""
    first, second = node(tmp_path, "memory"), node(tmp_path, "memory", node="n2")
    visitor = first.visitor().login()
    visitor.add("acorn")
    elsewhere = JsonVisitor(second.app)
    elsewhere.client = second.app.test_client()
    cookie = visitor.client.get_cookie("session")
    assert cookie is not None
    elsewhere.client.set_cookie("session", cookie.value)
    for _ in range(2):
        answer = elsewhere.get("/cart")
        assert (answer.status_code, "Set-Cookie" in answer.headers) == (401, False)
        assert visitor.cart() == {"acorn": 1}
    assert held(second) == []


def test_beyond_the_cap_the_longest_untouched_session_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1_000_000.0]
    monkeypatch.setattr("cachelib.simple.time", lambda: clock[0])
    monkeypatch.setattr("stateful_app.sessions.time.time", lambda: clock[0])
    shop = node(tmp_path, "memory", session_cap=3)
    visitors = []
    for number in range(1, 6):
        clock[0] += 10
        visitors.append(shop.visitor().login(f"user-{number:04d}"))
        assert len(held(shop)) <= 3
    assert [visitor.get("/me").status_code for visitor in visitors] == [401, 401, 200, 200, 200]


def test_a_session_whose_time_is_over_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1_000_000.0]
    monkeypatch.setattr("cachelib.simple.time", lambda: clock[0])
    monkeypatch.setattr("stateful_app.sessions.time.time", lambda: clock[0])
    shop = node(tmp_path, "memory", session_lifetime_s=60)
    visitor = shop.visitor().login()
    clock[0] += 59
    assert len(held(shop)) == 1
    clock[0] += 2
    assert held(shop) == []
    assert visitor.get("/me").status_code == 401


def test_many_threads_at_once(tmp_path: Path) -> None:
    shop = node(tmp_path, "memory")
    failures: list[object] = []

    def shop_on(user: str) -> None:
        visitor = shop.visitor().login(user)
        for count in range(1, 21):
            cart = visitor.add("acorn").json["cart"]
            if cart != {"acorn": count} or len(held(shop)) < 1:
                failures.append((user, count, cart))

    threads = [threading.Thread(target=shop_on, args=(f"user-{number:04d}",)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert len(held(shop)) == 8


@pytest.mark.parametrize("store", ["token", "redis"])
def test_it_has_no_other_store(store: str) -> None:
    with pytest.raises(UsageError, match=store):
        session_store(Settings(database_url="sqlite://", secret_key="x" * 8, store=store))
