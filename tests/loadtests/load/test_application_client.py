"""What shoppers send to an application, and what they make of its answers: of a described one, and of the shop."""

from __future__ import annotations

from collections.abc import Iterable
from http.client import HTTPMessage
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from requests.cookies import create_cookie

from compose.cluster import HttpInterface
from compose.description import (
    AccountSource,
    Description,
    LoginCall,
    NodeCommand,
    RecallCall,
    RememberCall,
    WhoCall,
)
from compose.interface import Call, Extract, Sign
from loadtests.load.answers import HttpRequest, Reading, ShopAnswer
from loadtests.load.application_client import ApplicationClient, AskedApplication, PreparedApplication
from loadtests.load.cookies import Pocket
from loadtests.model.history import Do, Jar
from loadtests.model.plan import Action

FORM = Description(
    "notes",
    AccountSource(pattern="u{number}", password="pw"),
    LoginCall("POST /login", page="/login", form={"name": "{user}", "pw": "{password}", "csrf": "{csrf}"}),
    WhoCall("GET /me", user=Extract(css="b")),
    node=NodeCommand(["app", "{port}"], "/health"),
    remember=RememberCall("POST /note", form={"note": "{value}"}),
    recall=RecallCall("GET /note", value=Extract(css="q")),
    logout=Call("POST /logout"),
    csrf=Extract(css="input[name=csrf]", attribute="value"),
)
API = replace(
    FORM,
    login=LoginCall(
        "POST /api/login", json={"who": {"name": "{user}"}, "pw": "{password}"}, token=Extract(json="/t/0")
    ),
    who=WhoCall("GET /api/me", user=Extract(json="/user")),
    csrf=None,
    headers={"Authorization": "Bearer {token}"},
)
ORIGIN = "http://127.0.0.1:8000"
RUN = "0123abcda"


def answer(status: int, body: str = "", **headers: str) -> ShopAnswer:
    found = HTTPMessage()
    for name, value in headers.items():
        found[name.replace("_", "-")] = value
    return ShopAnswer(0, 1, status, headers=found, body=body.encode())


def client(it: Description, cookies: dict[str, str] | None = None) -> ApplicationClient:
    accounts = (("u1", "pw"), ("u2", "pw"))
    app = PreparedApplication(AskedApplication(it.interface(), HttpInterface("/health"), accounts))
    pockets: dict[Jar, Pocket] = {}

    def pocket(jar: Jar) -> Pocket:
        found = pockets.setdefault(jar, Pocket(jar, ORIGIN))
        for name, value in (cookies or {}).items():
            found.cookies.set_cookie(create_cookie(name, value))
        return found

    return ApplicationClient(app, accounts[0], 1, RUN, pocket, ORIGIN)


def do(
    who: ApplicationClient, what: Do, *answers: ShopAnswer, sku: str = "", jar: Jar = "main"
) -> tuple[Reading, list[HttpRequest]]:
    """What it made of the answers, and all that it sent."""
    steps = who.steps(Action(0, what, sku, jar=jar))
    sent = [next(steps)]
    for each in answers:
        try:
            sent.append(steps.send(each))
        except StopIteration as end:
            return end.value, sent
    raise AssertionError(f"it wants more: {sent[-1]}")


PAGE = answer(200, '<form><input name=csrf value="t&amp;1"></form>')


def test_a_form_is_fetched_filled_in_and_led_on_as_by_a_browser() -> None:
    reading, sent = do(client(FORM), "login", PAGE, answer(302, Location="/home?x=1"), answer(200))
    assert reading == Reading("ok")
    assert [(each.method, each.path, each.body) for each in sent] == [
        ("GET", "/login", b""),
        ("POST", "/login", b"name=u1&pw=pw&csrf=t%261"),
        ("GET", "/home?x=1", b""),
    ]
    assert "Content-Type" not in sent[-1].headers


@pytest.mark.parametrize(
    ("answers", "reading"),
    [
        ((PAGE, answer(200, "wrong password")), Reading("failed")),
        ((PAGE, answer(302, Location="/login?again"), PAGE), Reading("failed")),
        ((PAGE, answer(503)), Reading("unknown")),
        ((PAGE, ShopAnswer(0, 1, error="timeout")), Reading("unknown", error="timeout")),
        ((PAGE, ShopAnswer(0, 1, error="refused", sent=False)), Reading("failed", error="refused")),
        ((answer(502),), Reading("failed")),
        ((answer(200, "no form here"),), Reading("failed", error="no csrf token")),
        ((PAGE, answer(302, Location="/"), ShopAnswer(0, 1, error="timeout")), Reading("unknown", error="timeout")),
        ((PAGE, *[answer(302, Location="/x")] * 7), Reading("unknown", error="redirect loop")),
    ],
)
def test_a_login_that_does_not_go_well(answers: Iterable[ShopAnswer], reading: Reading) -> None:
    assert do(client(FORM), "login", *answers)[0] == reading


def test_where_a_redirect_leads_is_asked_for_as_a_browser_does() -> None:
    """Letters that no path may have are encoded, those of a header are read as Latin-1, and what is encoded stays."""
    led = "/home?told=Logged in: caf\xc3\xa9&from=%2Fa"
    _, sent = do(client(FORM), "login", PAGE, answer(302, Location=led), answer(200))
    assert sent[-1].path == "/home?told=Logged%20in:%20caf%C3%A9&from=%2Fa"


def test_nobody_is_led_to_another_server() -> None:
    reading, sent = do(client(FORM), "me", answer(302, Location="http://example.org/"))
    assert len(sent) == 1
    assert reading.outcome == "failed"


def test_a_bearer_token_is_taken_sent_copied_and_forgotten() -> None:
    who = client(API)
    before = do(who, "me", answer(401))[1][0]
    assert "Authorization" not in before.headers
    reading, sent = do(who, "login", answer(200, '{"t": ["abc"]}'))
    assert reading.outcome == "ok"
    assert sent[0].body == b'{"who":{"name":"u1"},"pw":"pw"}'
    assert do(who, "me", answer(200, '{"user": "u1"}'))[1][0].headers["Authorization"] == "Bearer abc"
    who._pocket("stolen").fill_from(who._pocket("main"))
    do(who, "logout", answer(204))
    assert "Authorization" not in do(who, "me", answer(401))[1][0].headers
    assert do(who, "me", answer(401), jar="stolen")[1][0].headers["Authorization"] == "Bearer abc"


@pytest.mark.parametrize(
    ("it", "back", "outcome", "user", "stranger"),
    [
        (FORM, answer(200, "<b>u1</b>"), "ok", "user-0001", False),
        (FORM, answer(200, "<b>u2</b>"), "ok", "user-0002", False),
        (FORM, answer(200, "<b>Eve</b>"), "ok", "Eve", False),
        (FORM, answer(200, "hello"), "failed", "", False),
        (FORM, answer(401), "failed", "", True),
        (FORM, answer(404), "failed", "", False),
        (replace(FORM, stranger=Sign(text="log in")), answer(200, "please log in"), "failed", "", True),
        (replace(FORM, stranger=Sign(status=403)), answer(403), "failed", "", True),
        (replace(FORM, stranger=Sign(json="/error")), answer(200, '{"error": 1}'), "failed", "", True),
        (API, answer(200, '{"user": "u1"}'), "ok", "user-0001", False),
        (API, answer(200, "[]"), "failed", "", False),
    ],
)  # fmt: skip
def test_who_one_is_and_who_is_a_stranger(
    it: Description, back: ShopAnswer, outcome: str, user: str, stranger: bool
) -> None:
    reading = do(client(it), "me", back)[0]
    assert (reading.outcome, reading.shown.user, reading.stranger) == (outcome, user, stranger)


@pytest.mark.parametrize(
    ("body", "keeps", "shown"),
    [
        (f"<q>tw-{RUN}-0001-v007</q>", "one", {"v007": 1}),
        (f"<q>tw-{RUN}-0001-v008</q><q>tw-{RUN}-0001-v007</q>", "one", {"v008": 1}),
        (f"<q>tw-{RUN}-0001-v008</q><q>tw-{RUN}-0001-v007</q>", "all", {"v008": 1, "v007": 1}),
        (f"<q>tw-{RUN}-0001-v007</q><q>tw-{RUN}-0001-v007</q>", "all", {"v007": 2}),
        ("<q>tw-ffffffffa-0001-v007</q>", "one", {}),
        ("<q></q>", "one", {}),
        ("", "one", {}),
    ],
)
def test_what_is_remembered(body: str, keeps: Any, shown: dict[str, int]) -> None:
    it = replace(FORM, remember=RememberCall("POST /note", form={"note": "{value}"}, keeps=keeps))
    assert do(client(it), "recall", answer(200, body))[0].shown.cart == shown


def test_what_somebody_else_had_remembered_says_whose_it_is() -> None:
    reading = do(client(FORM), "recall", answer(200, f"<q>tw-{RUN}-0002-v001</q>"))[0]
    assert (reading.shown.user, reading.shown.cart) == ("user-0002", None)


def test_a_value_goes_out_as_it_comes_back() -> None:
    who = client(FORM)
    body = do(who, "remember", answer(200), sku="v001")[1][0].body.decode()
    assert do(who, "recall", answer(200, f"<q>{body.partition('=')[2]}</q>"))[0].shown.cart == {"v001": 1}


def test_a_csrf_token_in_a_cookie_is_sent_without_a_page_before_it() -> None:
    login = LoginCall("POST /login", form={"name": "{user}", "pw": "{password}"}, headers={"X-CSRFToken": "{csrf}"})
    it = replace(FORM, login=login, csrf=Extract(cookie="csrftoken"))
    reading, sent = do(client(it, {"csrftoken": "t1"}), "login", answer(302, Location="/home"), answer(200))
    assert reading == Reading("ok")
    assert sent[0].headers["X-CSRFToken"] == "t1"


@pytest.mark.parametrize("app", [AskedApplication(), AskedApplication(FORM.interface(), HttpInterface("/health"))])
def test_what_a_load_process_is_told_comes_out_as_it_went_in(app: AskedApplication) -> None:
    assert msgspec.json.decode(msgspec.json.encode(app), type=AskedApplication) == app
