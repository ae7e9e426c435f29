"""What stands in a cookie, and what does not."""

from __future__ import annotations

import base64

import pytest
from flask import Flask, session
from hypothesis import given
from hypothesis import strategies as st

from loadtests.load.cookies import stands_in

NAME = "user-0007"


def token(**content: object) -> str:
    """The cookie of Flask's own sessions, with this content."""
    app = Flask(__name__)
    app.secret_key = "a key that nobody has"

    @app.get("/")
    def page() -> str:
        session.update(content)
        return ""

    cookie = app.test_client().get("/").headers["Set-Cookie"]
    return cookie.partition("=")[2].partition(";")[0]


@pytest.mark.parametrize("cart", [{}, {f"article-{number}": 1 for number in range(200)}])
def test_a_signed_token_can_be_read(cart: dict[str, int]) -> None:
    value = token(user=NAME, cart=cart)
    assert value.startswith(".") is bool(cart), "the large one is compressed"
    assert NAME not in value
    assert stands_in(NAME, ["n1", value])
    assert not stands_in("user-0008", [value])


def test_a_name_that_is_part_of_another_is_not_it() -> None:
    assert not stands_in("user-000", [token(user=NAME)])
    assert not stands_in(NAME, [f"{NAME}1", f"x{NAME}"])


def test_the_name_itself_can_be_read() -> None:
    assert stands_in(NAME, [f"{NAME}|2"])


def test_a_random_id_cannot() -> None:
    assert not stands_in(NAME, ["pYtDqyI3mQxV0kq2yA3hcWJ3o9vS0xNnZ0uQmC0mJxg", "", "."])


@given(st.text())
def test_whatever_a_cookie_holds_is_no_error(value: str) -> None:
    assert not stands_in(NAME, [value.replace(NAME, "")])


def test_what_grows_is_read_only_so_far() -> None:
    import zlib

    value = base64.urlsafe_b64encode(zlib.compress(b"x" * 2**24 + NAME.encode())).decode()
    assert not stands_in(NAME, [value])
