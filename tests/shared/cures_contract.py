"""What goes wrong without a cure and does not with it: the attack or the mishap is played, for every session store."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from shared.shop import catalogue
from shared.shop.database import read_orders
from tests.shared.shops import JsonVisitor, Node, node
from tests.shared.store_contract import StoreContract

WAITS_S = 0.5
PATIENCE_S = 20.0


def copy_of(visitor: JsonVisitor, at: Node) -> JsonVisitor:
    """Another browser, here or at another node, with the same cookie."""
    copy, cookie = at.visitor(), visitor.client.get_cookie("session")
    assert cookie is not None
    copy.client.set_cookie("session", cookie.value)
    return copy


def both_at_once(monkeypatch: pytest.MonkeyPatch, *visitors: JsonVisitor, waits_s: float = PATIENCE_S) -> list[int]:
    """Each adds another article; each has read its cart before any of them writes one, unless something prevents it.

    Args:
        waits_s: how long one waits for the other; shorter only where it waits in vain.
    """
    barrier = threading.Barrier(len(visitors))
    add = catalogue.added

    def slow_add(*arguments: Any) -> catalogue.Cart:
        with suppress(threading.BrokenBarrierError):  # the others are kept waiting: that is what the lock is for
            barrier.wait(waits_s)
        return add(*arguments)

    monkeypatch.setattr("shared.shop.catalogue.added", slow_add)
    told: list[int] = []
    threads = [
        threading.Thread(target=lambda visitor=visitor, sku=sku: told.append(visitor.add(sku).status_code))
        for visitor, sku in zip(visitors, ("acorn", "bell", "map"), strict=False)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * PATIENCE_S)
    monkeypatch.setattr("shared.shop.catalogue.added", add)
    return told


class CuresContract(StoreContract):
    """What each switch does. A subclass names the store."""

    can_be_planted: bool
    """A session id that somebody else knows could become a login."""
    can_be_locked: bool
    """There is something that two requests with the same cart can wait for."""
    can_be_ended_elsewhere: bool
    """A session can be ended without its cookie, on the node that it was opened at."""

    def make(self, folder: Path, store_settings: dict[str, Any], **changes: Any) -> Node:
        return node(folder, self.store, **store_settings, **changes)

    @pytest.mark.parametrize("regenerate", [True, False])
    def test_a_planted_session_id(self, tmp_path: Path, store_settings: dict[str, Any], regenerate: bool) -> None:
        shop = self.make(tmp_path, store_settings, regenerate_at_login=regenerate)
        attacker = shop.visitor()
        attacker.get("/login")
        victim = copy_of(attacker, shop).login("user-0002")
        victim.add("acorn")
        answer = attacker.get("/me")
        if self.can_be_planted and not regenerate:
            assert answer.json == {"user": "user-0002", "node": "n1", "cart": {"acorn": 1}}, "the attack must work"
        else:
            assert answer.status_code == 401
        assert victim.cart() == {"acorn": 1}

    @pytest.mark.parametrize("lock", [True, False])
    def test_two_tabs_add_at_once(
        self, tmp_path: Path, store_settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch, lock: bool
    ) -> None:
        shop = self.make(tmp_path, store_settings, cart_lock=lock)
        tab = shop.visitor().login()
        other_tab = copy_of(tab, shop)
        one_waits = self.can_be_locked and lock
        told = both_at_once(monkeypatch, tab, other_tab, waits_s=WAITS_S if one_waits else PATIENCE_S)
        assert told == [200, 200]
        kept = tab.cart()
        if one_waits:
            assert kept == {"acorn": 1, "bell": 1}
        else:
            assert len(kept) == 1, "each wrote the cart that it had read"

    def test_with_the_lock_others_do_not_wait(
        self, tmp_path: Path, store_settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shop = self.make(tmp_path, store_settings, cart_lock=True)
        one, other = shop.visitor().login("user-0001"), shop.visitor().login("user-0002")
        assert both_at_once(monkeypatch, one, other) == [200, 200]
        assert {*one.cart(), *other.cart()} == {"acorn", "bell"}

    def test_with_the_lock_a_failed_write_lets_others_in(self, tmp_path: Path, store_settings: dict[str, Any]) -> None:
        shop = self.make(tmp_path, store_settings, cart_lock=True)
        visitor = shop.visitor().login()
        for _ in range(3):
            assert visitor.add("no-such-thing").status_code == 404
        assert visitor.add("acorn").status_code == 200
        assert visitor.checkout("k").status_code == 201
        assert shop.visitor().add("acorn").status_code == 401

    @pytest.mark.parametrize("refresh", [True, False])
    def test_a_slow_page_beside_a_quick_write(
        self, tmp_path: Path, store_settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch, refresh: bool
    ) -> None:
        shop = self.make(tmp_path, store_settings, session_refresh_each_request=refresh, slow_page_ms=250)
        visitor = shop.visitor().login()
        click = copy_of(visitor, shop)
        waits: list[float] = []

        def click_meanwhile(seconds: float) -> None:
            waits.append(seconds)
            assert click.add("acorn").json == {"cart": {"acorn": 1}}

        monkeypatch.setattr("shared.shop.routes.goods.sleep", click_meanwhile)
        late = visitor.get("/recommendations")
        assert (late.status_code, len(late.json["products"]), waits) == (200, 4, [0.25])
        assert ("Set-Cookie" in late.headers) is refresh
        # A browser has one jar: what the click set, unless the late answer set something else.
        browser = visitor if refresh else click
        assert browser.cart() == ({} if refresh else {"acorn": 1})

    @pytest.mark.parametrize("keys", [True, False])
    def test_a_checkout_that_is_sent_twice(self, tmp_path: Path, store_settings: dict[str, Any], keys: bool) -> None:
        shop = self.make(tmp_path, store_settings, idempotency_keys=keys)
        visitor = shop.visitor().login()
        visitor.add("acorn")
        first = visitor.checkout("k")
        visitor.add("acorn")
        second = visitor.checkout("k")
        assert (first.status_code, second.status_code) == (201, 200 if keys else 201)
        orders = read_orders(shop.settings.database_url)
        assert [order.key for order in orders] == (["k"] if keys else [None, None])

    def test_logging_out_everywhere(self, shop: Node) -> None:
        device, other_device = shop.visitor().login(), shop.visitor().login()
        somebody_else = shop.visitor().login("user-0002")
        stolen = copy_of(device, shop)
        answer = device.post("/logout/everywhere")
        assert (answer.status_code, answer.json) == (200, {"user": "user-0001"})
        assert device.get("/me").status_code == 401
        for known in (other_device, stolen):
            assert (known.get("/me").status_code == 401) is self.can_be_ended_elsewhere
        assert somebody_else.get("/me").status_code == 200
        assert device.post("/logout/everywhere").status_code == 401
        assert device.login().get("/me").status_code == 200, "who logs in again is let in"

    def test_logging_out_everywhere_by_hand(self, shop: Node) -> None:
        reader, device = shop.reader().login(), shop.visitor().login()
        assert 'formaction="/logout/everywhere"' in reader.get("/me").text
        fields = {"csrf_token": reader.get("/me").text.split('name="csrf_token" value="')[1].split('"')[0]}
        assert reader.send("/logout/everywhere").status_code == 400, "a forged form"
        assert reader.send("/logout/everywhere", **fields).location == "/"
        assert reader.get("/me").status_code == 401
        assert (device.get("/me").status_code == 401) is self.can_be_ended_elsewhere

    def test_a_deep_health_check_of_a_store_that_answers(self, tmp_path: Path, store_settings: dict[str, Any]) -> None:
        shop = self.make(tmp_path, store_settings, deep_health=True)
        answer = shop.visitor().get("/healthz")
        assert (answer.status_code, answer.json["ok"], answer.json["run"]) == (200, True, "0a1b2c3d")
