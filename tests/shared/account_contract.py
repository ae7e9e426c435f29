"""What a standard asks of sessions beyond a logout: an absolute end, one's own list, and ends by others' hands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.shared.shops import CONTROL_TOKEN, PASSWORD, JsonVisitor, Node, node
from tests.shared.store_contract import StoreContract

ACCESS_S = 60
"""How long an access token lives here, where there are some."""
CONTROL = {"X-Control-Token": CONTROL_TOKEN}


def knows(visitor: JsonVisitor) -> bool:
    return visitor.get("/me").status_code == 200


def gone(visitor: JsonVisitor, shop: Node, after_s: int = ACCESS_S + 1) -> bool:
    """It is a stranger when its access token is over, if it has one."""
    shop.turn_clock(after_s)
    return not knows(visitor)


class AccountContract(StoreContract):
    """Inherited once for every store. A subclass says what the store can."""

    can_list: bool
    can_end: bool
    """Other sessions of a user, all of them."""

    def test_a_session_has_an_absolute_end(self, tmp_path: Path, store_settings: dict[str, Any]) -> None:
        shop = node(tmp_path, self.store, **{**store_settings, "session_absolute_s": 600})
        visitor = shop.visitor().login()
        visitor.add("acorn")
        assert not gone(visitor, shop, 590)
        assert gone(visitor, shop, 601), "it was used all the time"
        assert knows(visitor.login())

    def test_ones_own_sessions(self, shop: Node) -> None:
        one, other, stranger = shop.visitor().login(), shop.visitor().login(), shop.visitor().login("user-0002")
        answer = one.get("/sessions")
        assert answer.status_code == (200 if self.can_list else 501)
        if not self.can_list:
            assert answer.json["error"] == "nobody_keeps_a_list"
            assert one.post("/sessions/anything/end", {"password": PASSWORD}).status_code == 501
            return
        listed = answer.json["sessions"]
        assert [each["current"] for each in sorted(listed, key=lambda each: not each["current"])] == [True, False]
        (name,) = (each["session"] for each in listed if not each["current"])
        assert one.post(f"/sessions/{name}/end", {"password": "wrong"}).status_code == 403
        assert stranger.post(f"/sessions/{name}/end", {"password": PASSWORD}).status_code == 404
        assert knows(other)
        assert one.post(f"/sessions/{name}/end", {"password": PASSWORD}).status_code == 200
        assert gone(other, shop)
        assert knows(one)
        assert knows(stranger)

    def test_a_page_with_a_form_for_each(self, shop: Node) -> None:
        reader = shop.reader().login()
        page = reader.get("/sessions")
        assert page.status_code == (200 if self.can_list else 501)
        if self.can_list:
            assert page.text.count("End this one") == 1

    def test_another_password_ends_the_other_sessions(self, shop: Node) -> None:
        one, other = shop.visitor().login(), shop.visitor().login()
        assert one.post("/password", {"password": "wrong", "new": "another password"}).status_code == 403
        changed = one.post("/password", {"password": PASSWORD, "new": "another password"})
        assert changed.json == {"user": "user-0001", "others_ended": self.can_end}
        assert gone(other, shop) is self.can_end
        assert knows(one)
        refused = shop.visitor().post("/login", {"user": "user-0001", "password": PASSWORD})
        assert refused.status_code == 401

    def test_an_administrator_ends_all_of_a_user(self, shop: Node) -> None:
        visitor, stranger = shop.visitor().login(), shop.visitor().login("user-0002")
        assert shop.visitor().ask("POST", "/-/users/user-0001/end").status_code == 404, "without the control token"
        assert shop.visitor().ask("POST", "/-/users/user-0001/end", headers=CONTROL).status_code == 200
        assert gone(visitor, shop) is self.can_end
        assert knows(stranger)
        assert knows(shop.visitor().login())

    def test_a_disabled_account_has_no_sessions(self, shop: Node) -> None:
        visitor = shop.visitor().login()
        assert shop.visitor().ask("POST", "/-/users/nobody/disable", headers=CONTROL).status_code == 404
        assert shop.visitor().ask("POST", "/-/users/user-0001/disable", headers=CONTROL).status_code == 200
        assert gone(visitor, shop) is self.can_end
        again = shop.visitor().post("/login", {"user": "user-0001", "password": PASSWORD})
        assert again.status_code == 401
