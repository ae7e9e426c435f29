"""`app check`'s walk says of a bad description which step went otherwise, and what to look at; of a good one nothing.

The application is real, and one process, with nothing in front of it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from compose.applications.description_file import read_description
from compose.supervision.ports import free_ports
from loadtests.load.answers import HttpRequest, ShopAnswer
from loadtests.running.walk import WalkPerson, WalkStep, first_line, walk
from tests.applications import BROKEN
from tests.waiting import until

TEXT = (BROKEN / "app.toml").read_text()


class Node:
    """The application, whole or broken."""

    def __init__(self, folder: Path, broken: str = "") -> None:
        self.port = free_ports(1)[0]
        env = {**os.environ, "FOLDER": str(folder), "NODE": "n1", "SECRET": "s", "BREAK": broken}
        self._process = subprocess.Popen(
            [sys.executable, str(BROKEN / "app.py"), str(self.port)], env=env, start_new_session=True,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.url}/health", timeout=5).close()
        except OSError:
            return False
        return True

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    it = Node(tmp_path_factory.mktemp("node"))
    try:
        assert until(it.answers)
        yield it
    finally:
        it.end()


def walked(node: Node, text: str) -> list[WalkStep]:
    description = read_description(text.encode(), file="app.toml", folder="")
    accounts = tuple((f"u{number}", "example") for number in (1, 2))
    return list(walk(description, accounts, node.url, "r1"))


def test_a_good_one_has_nothing_wrong(node: Node) -> None:
    steps = walked(node, TEXT)
    assert [step for step in steps if not step.ok] == []
    assert len(steps) == 16


MISTAKEN = [
    # what is written, in whose place, the first step that is wrong, and what is said of it
    ('user = { css = "b" }', 'user = { css = "i" }', "who am I?", "look at [who]"),
    ('user = { css = "b" }', 'user = { json = "/user" }', "who am I?", "look at [who]"),
    ('user = { css = "b" }', 'user = { regex = "Hello, ([a-z0-9]+)" }', "who am I?", "look at [who]"),
    ('user = { css = "b" }', 'user = { css = "q" }', "who am I?", "look at [who] user, which finds nothing"),
    ('user = { css = "b" }', 'user = { css = "b" }\nshows = "{user}!"', "who am I?", "look at [who] user and shows"),
    ('user = { css = "b" }', 'user = { header = "X-User" }', "who am I?", "look at [who]"),
    ('value = { css = "q" }', 'value = { css = "u" }', "read it back", "look at [recall] value"),
    ('value = { css = "q" }', 'value = { json = "/note" }', "read it back", "look at [recall] value"),
    ('value = { css = "q" }', 'value = { css = "b" }', "read it back", "look at [recall] value"),
    ('send = "POST /login"', 'send = "POST /log-in"', "log in", "is not taken for a login"),
    ('password = "{password}" }\nok', 'pass = "{password}" }\nok', "log in", "is not taken for a login"),
    ("ok = { status = 200 }", "ok = { status = 302 }", "log in", "is not taken for a login"),
    ("ok = { status = 200 }", 'ok = { redirect = "/" }', "log in", "is not taken for a login"),
    ("ok = { status = 200 }", 'ok = { text = "Welcome back" }', "log in", "is not taken for a login"),
    ("ok = { status = 200 }", 'token = { json = "/access_token" }', "log in", "is not taken for a login"),
    ("ok = { status = 200 }", "ok = { status = 403 }", "log in with a wrong password", "a better `ok`"),
    (
        'send = "GET /"\nuser = { css = "b" }', 'send = "GET /health"', "a stranger asks who they are",
        "nobody could tell a stranger",
    ),
    ("[node]", 'stranger = { css = "b" }\n[node]', "who am I?", "look at [who], and at [stranger]"),
    ("[node]", "stranger = { status = 200 }\n[node]", "who am I?", "look at [who], and at [stranger]"),
    ('csrf = { css = "input[name=csrf]"', 'csrf = { css = "input[name=token]"', "remember v001", "at {csrf}"),
    ('attribute = "value"', 'attribute = "name"', "remember v001", "at {csrf}"),
    ('form = { note = "{value}", csrf', 'form = { text = "{value}", csrf', "remember v001", "fields of [remember]"),
    ('page = "/"\nsend = "POST /note"', 'page = "/loop"\nsend = "POST /note"', "remember v001", "redirect loop"),
    ('send = "POST /logout"', 'send = "POST /leave"', "log out", "look at [logout]"),
    (
        'note = "{value}", csrf = "{csrf}" }', 'note = "{value}", csrf = "{csrf}" }\nkeeps = "all"', "read it back",
        "at [remember] keeps",
    ),
    (
        'note = "{value}", csrf = "{csrf}" }', 'note = "{value}", csrf = "{csrf}" }\nkept_in = "account"',
        "what does it remember after the logout?", "it is the other one",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("written", "instead", "what", "says"), MISTAKEN)
def test_what_is_mistaken_is_named_by_its_step(node: Node, written: str, instead: str, what: str, says: str) -> None:
    assert written in TEXT
    wrong = [step for step in walked(node, TEXT.replace(written, instead, 1)) if not step.ok and not step.remark]
    assert wrong
    assert wrong[0].what == what
    assert says in wrong[0].words
    assert "example" not in wrong[0].went  # the password


def test_a_login_that_fails_is_not_taken_for_one_that_lets_in(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WalkPerson, "_ask", lambda _who, asked: ShopAnswer(0, 1, 401 if asked.method == "GET" else 500))
    wrong = [step for step in walked(node, TEXT) if not step.ok]
    assert wrong[0].what == "log in with a wrong password"
    assert "not refused, nor let in" in wrong[0].words
    assert "taken for" not in wrong[0].words


def test_a_header_that_cannot_be_sent_is_named_by_its_step(node: Node) -> None:
    """Which letters an account's name has, no description can know."""
    text = TEXT.replace("[node]", 'headers = { X = "{user}" }\n[node]', 1)
    description = read_description(text.encode(), file="app.toml", folder="")
    steps = list(walk(description, (("→1", "example"), ("→2", "example")), node.url, "r1"))
    assert "UnicodeEncodeError" in steps[0].words


@pytest.mark.parametrize("status", [403, 500])
def test_after_a_refused_logout_nothing_is_concluded(node: Node, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    asks = WalkPerson._ask

    def ask(person: WalkPerson, asked: HttpRequest) -> ShopAnswer:
        if asked.path == "/logout":
            return ShopAnswer(0, 1, status, body=b"<h1>logout needs a callback</h1><p>example</p>")
        return asks(person, asked)

    monkeypatch.setattr(WalkPerson, "_ask", ask)
    *_, wrong, last = steps = walked(node, TEXT)
    assert [step.what for step in steps if not step.ok] == ["log out"]
    assert f"({status}: logout needs a callback)" in wrong.words
    assert ("if it is the application's own fault, omit [logout]" in wrong.words) is (status == 500)
    assert "still logged in, because the logout was refused" in last.words


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"", ""),
        (b"\n\n  Not\tso \n more", "Not so"),
        (b"<head><title>x</title></head><script>let a = 1</script><p>Wrong &amp; late</p>", "Wrong & late"),
        (b'{"error": "example was wrong"}', '{"error": "[secret] was wrong"}'),
        (b'{"access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30"}', '{"access_token": "[…]"}'),
        (b"x y " * 100, None),
        (b"\xff\x1b[31mred", "\ufffd [31mred"),
    ],
)
def test_the_first_line_is_bounded_and_has_neither_markup_nor_secrets(body: bytes, shown: str | None) -> None:
    line = first_line(body, ["example", "abc"])
    assert len(line) <= 80
    assert shown is None or line == shown
