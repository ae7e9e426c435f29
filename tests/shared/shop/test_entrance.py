"""Who logs in from where: wrong passwords are counted by address; another page of this host may send somebody in."""

from __future__ import annotations

from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from tests.shared.shops import PASSWORD, JsonVisitor, node

HOST = "shop.example:8081"


def guess(visitor: JsonVisitor, address: str, password: str = "wrong") -> int:
    told = {"user": "user-0001", "password": password}
    return int(visitor.post("/login", told, **({"X-Forwarded-For": address} if address else {})).status_code)


class TestThrottle:
    def test_who_was_wrong_too_often_waits_and_nobody_else(self, tmp_path: Path) -> None:
        shop = node(tmp_path, "memory", login_failures="3 per minute")
        assert [guess(shop.visitor(), "192.0.2.1") for _ in range(5)] == [401] * 3 + [429] * 2
        assert guess(shop.visitor(), "192.0.2.1", PASSWORD) == 429, "or they could go on guessing"
        assert guess(shop.visitor(), "192.0.2.2", PASSWORD) == 200

    def test_what_the_balancer_says_last_counts(self, tmp_path: Path) -> None:
        shop = node(tmp_path, "memory", login_failures="1 per minute")
        assert guess(shop.visitor(), "203.0.113.1, 192.0.2.1") == 401
        assert guess(shop.visitor(), "203.0.113.2, 192.0.2.1") == 429

    def test_who_is_right_is_never_counted(self, tmp_path: Path) -> None:
        shop = node(tmp_path, "memory", login_failures="1 per minute")
        assert [guess(shop.visitor(), "192.0.2.1", PASSWORD) for _ in range(4)] == [200] * 4

    def test_without_the_setting_or_an_address_nobody_waits(self, tmp_path: Path) -> None:
        assert [guess(node(tmp_path, "memory").visitor(), "192.0.2.1") for _ in range(4)] == [401] * 4
        shop = node(tmp_path, "memory", login_failures="1 per minute")
        assert [guess(shop.visitor(), "") for _ in range(4)] == [401] * 4


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://shop.example:8080", 303),  # a workshop's dashboard: the same host, another port
        ("http://evil.example:8080", 400),
        ("http://shop.example.evil.example", 400),
        ("https://shop.example:8080", 400),
        ("http://[", 400),
        ("null", 400),
        ("", 400),
    ],
)
def test_only_a_page_of_this_very_host_sends_somebody_in(origin: str, status: int, tmp_path: Path) -> None:
    reader = node(tmp_path, "memory").reader()

    def sent(path: str) -> TestResponse:
        headers = {"Accept": "text/html", "Host": HOST, **({"Origin": origin} if origin else {})}
        fields = {"user": "user-0001", "password": PASSWORD, "sku": "acorn", "quantity": "1"}
        return reader.client.post(path, data=fields, headers=headers)

    assert sent("/login").status_code in (status, 401 if status == 400 else status)
    assert sent("/cart").status_code in (400, 401), "everything but a login needs the form's own token"
