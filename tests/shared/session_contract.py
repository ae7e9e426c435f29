"""The contract of a session store, seen through the shop: cookies, session ids, lifetimes, the end of a session."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.shared.shops import JsonVisitor, Node, node
from tests.shared.store_contract import StoreContract
from tests.waiting import until

PATIENCE_S = 10.0


def cookie_of(visitor: JsonVisitor) -> str:
    cookie = visitor.client.get_cookie("session")
    assert cookie is not None
    return cookie.value


class SessionContract(StoreContract):
    """What every session store promises. A subclass names the store."""

    cookies: ClassVar[frozenset[str]] = frozenset({"session"})
    """The names of those that a login sets."""

    outlives_logout: bool
    """A copy of the cookie is still good after the logout: true of tokens, which cannot be revoked."""
    has_ids: bool
    """The cookie holds an id and not the session itself."""

    def test_the_cookie(self, shop: Node) -> None:
        answer = shop.visitor().post("/login", {"user": "user-0001", "password": "correct horse"})
        cookies = answer.headers.getlist("Set-Cookie")
        assert {cookie.partition("=")[0] for cookie in cookies} == self.cookies
        for cookie in cookies:
            parts = {part.strip() for part in cookie.split(";")[1:]}
            assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= parts
            assert any(part.startswith("Expires=") for part in parts)

    def test_its_name_is_a_setting(self, tmp_path: Path, store_settings: dict[str, Any]) -> None:
        shop = node(tmp_path, self.store, cookie_name="twin-7", **store_settings)
        visitor = shop.visitor().login()
        assert visitor.client.get_cookie("session") is None
        assert visitor.client.get_cookie("twin-7") is not None

    def test_reading_writes_nothing(self, shop: Node) -> None:
        visitor = shop.visitor().login()
        for path in ("/products", "/me", "/cart", "/orders"):
            assert "Set-Cookie" not in visitor.get(path).headers

    def test_refreshing_on_each_request_is_a_setting(self, tmp_path: Path, store_settings: dict[str, Any]) -> None:
        shop = node(tmp_path, self.store, session_refresh_each_request=True, **store_settings)
        assert "Set-Cookie" in shop.visitor().login().get("/me").headers

    def test_login_gives_a_new_session_id(self, shop: Node) -> None:
        """Against fixation: whoever planted a session id in this browser must not share the login."""
        victim, attacker = shop.reader(), shop.visitor()
        victim.get("/login")
        planted = victim.client.get_cookie("session")
        assert planted is not None
        attacker.client.set_cookie("session", planted.value)
        victim.login()
        taken = victim.client.get_cookie("session")
        assert taken is not None
        assert taken.value != planted.value
        assert attacker.get("/me").status_code == 401

    def test_a_second_login_does_not_keep_the_first_session(self, shop: Node) -> None:
        visitor, copy = shop.visitor().login(), shop.visitor()
        copy.client.set_cookie("session", cookie_of(visitor))
        visitor.login()
        assert (copy.get("/me").status_code == 200) is self.outlives_logout

    def test_a_copy_of_the_cookie_after_the_logout(self, shop: Node) -> None:
        visitor, copy = shop.visitor().login(), shop.visitor()
        copy.client.set_cookie("session", cookie_of(visitor))
        assert copy.get("/me").status_code == 200
        visitor.post("/logout")
        assert (copy.get("/me").status_code == 200) is self.outlives_logout

    @pytest.mark.parametrize("forged", ["", "x", "0" * 43, "eyJ1c2VyIjoidXNlci0wMDAxIn0.aaaaaa.bbbbbb", "%00", '"'])
    def test_a_forged_cookie_is_a_strangers(self, shop: Node, forged: str) -> None:
        visitor = shop.visitor()
        visitor.client.set_cookie("session", forged)
        answer = visitor.get("/me")
        assert answer.status_code == 401
        assert "Set-Cookie" not in answer.headers, "a stranger's JSON request must not take somebody's cookie away"

    def test_what_the_cookie_shows(self, shop: Node) -> None:
        visitor = shop.visitor().login()
        before = len(cookie_of(visitor))
        for sku in ("acorn", "bell", "map", "key"):
            visitor.add(sku)
        grew = len(cookie_of(visitor)) > before
        assert grew is not self.has_ids

    def test_a_session_ends_with_its_lifetime(self, tmp_path: Path, store_settings: dict[str, Any]) -> None:
        shop = node(tmp_path, self.store, session_lifetime_s=1, **store_settings)
        visitor = shop.visitor().login()
        # The clock of the cookie jar is not asked: the server must refuse the copy that a thief kept.
        copy = shop.visitor()
        copy.client.set_cookie("session", cookie_of(visitor))
        assert until(lambda: copy.get("/me").status_code == 401, PATIENCE_S), "the session outlived its lifetime"
