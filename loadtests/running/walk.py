"""Walks once through a described application, with two people, before anybody counts anything by its description.

    a stranger asks ── log in (with a wrong password, too) ── who am I ── remember, read back, twice ──
    ── a second person beside the first ── log out ── try the old cookies ── log in again

Each step says what was asked, what came back, and whether the description reads it as it must.
"""

from __future__ import annotations

import html
import http.client
import re
import time
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

import msgspec

from compose.cluster import HttpInterface
from compose.description import Description
from loadtests.load.answers import HttpRequest, Reading, ShopAnswer
from loadtests.load.application_client import ApplicationClient, AskedApplication, PreparedApplication
from loadtests.load.cookies import Pocket
from loadtests.model.history import UNREADABLE, Do
from loadtests.model.plan import Action
from shared.demo_accounts import account_name

ANSWER_WITHIN_S = 10.0
WRONG = "not-the-password"
SHOWN_LETTERS = 80
"""Of an answer's first line."""
_MARKUP = re.compile(r"<(script|style|head)\b.*?</\1\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_OPAQUE = re.compile(r"[\w+/=~-]*\d[\w+/=~.-]{19,}|[\w+/=~.-]{40,}")
"""A token or a key, as far as one can tell."""


class WalkStep(msgspec.Struct, frozen=True):
    """One step of the walk."""

    what: str
    """What was asked."""
    went: str
    """The requests, with their statuses: "GET /login 200, POST /login 302, GET / 200"."""
    ok: bool
    """As it must be."""
    words: str = ""
    """What the description made of it; what is wrong, and what to look at, if it is not ok."""
    remark: bool = False
    """It is about the application and not about the description: it can be measured all the same."""


class WalkPerson:
    """Somebody with a browser of their own: cookies kept as a browser keeps them, one request after the other."""

    def __init__(self, app: PreparedApplication, number: int, url: str, prefix: str) -> None:
        self._address = urlsplit(url)
        self._prefix = prefix
        self._pocket = Pocket("main", url)
        account = app.accounts[number - 1]
        self.client = ApplicationClient(app, account, number, prefix, lambda _jar: self._pocket, url)
        self.went: list[str] = []
        self._last = ShopAnswer(0, 0)
        self._secrets = [password for _, password in app.accounts]
        self._asked = 0

    def do(self, do: Do, sku: str = "") -> Reading:
        """Carry out one action; `went` says how."""
        self.went = []
        steps = self.client.steps(Action(0, do, sku, 1 if sku else 0))
        asked = next(steps)
        while True:
            answer = self._last = self._ask(asked)
            self.went.append(f"{asked.method} {asked.path} {answer.status or answer.error}")
            try:
                asked = steps.send(answer)
            except StopIteration as end:
                reading: Reading = end.value
                return reading

    @property
    def answered(self) -> str:
        """The last answer's status and the first line that a reader would see: `500: Unknown strategy`; "" if none."""
        line = first_line(self._last.body, [*self._secrets, *self._pocket.by_name().values()])
        return ": ".join(filter(None, (str(self._last.status or ""), line)))

    @property
    def status(self) -> int:
        """The last answer's."""
        return self._last.status

    def copy_cookies(self, other: WalkPerson) -> None:
        """Have what the other one has."""
        self._pocket.fill_from(other._pocket)

    def _ask(self, asked: HttpRequest) -> ShopAnswer:
        self._asked += 1
        # A prefix of its own: these requests are nobody's in a run's books.
        headers = {**asked.headers, "X-Request-Id": f"probe-{self._prefix}-{self._asked:04d}"}
        self._pocket.dress(asked.path, headers)
        began = time.monotonic_ns()
        # A connection for each request: what an application does with one that is kept is not looked at here.
        connection = http.client.HTTPConnection(
            self._address.hostname or "", self._address.port or 80, timeout=ANSWER_WITHIN_S
        )
        try:
            connection.request(asked.method, asked.path, asked.body or None, headers)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException, UnicodeEncodeError) as error:  # a header of foreign letters
            return ShopAnswer(began, time.monotonic_ns(), error=type(error).__name__)
        finally:
            connection.close()
        self._pocket.take(answer.msg, asked.path)
        return ShopAnswer(began, time.monotonic_ns(), answer.status, headers=answer.msg, body=body)


def walk(it: Description, accounts: tuple[tuple[str, str], ...], url: str, run: str) -> Iterator[WalkStep]:
    """Every step, as it is taken. It ends early where going on would say nothing."""
    asked = AskedApplication(it.interface(), HttpInterface(""), accounts)
    # A description that takes a refused login for a login would count nobody as logged out, ever.
    wrong = msgspec.structs.replace(asked, accounts=tuple((name, WRONG) for name, _ in accounts))
    app, prefix = PreparedApplication(asked), f"{run}w"
    anna, berta = (WalkPerson(app, number, url, prefix) for number in (1, 2))
    stranger = WalkPerson(PreparedApplication(wrong), 1, url, prefix)
    yield _stranger("a stranger asks who they are", stranger, stranger.do("me"))
    refused = stranger.do("login")
    nobody = stranger.status == 0 or stranger.status >= 500
    yield _step(
        "log in with a wrong password", stranger, refused.outcome == "failed", _said(refused),
        "it is not refused, nor let in: look at [login] send, and at what the application printed" if nobody else
        "it is taken for a login: give [login] a better `ok`, for example ok = { redirect = \"/\" }",
    )  # fmt: skip
    reading = anna.do("login")
    yield _step(
        "log in", anna, reading.outcome == "ok", _said(reading),
        "it is not taken for a login: look at [accounts], at the fields of [login] and whether they are to be sent as "
        "form or as json, at {csrf}, and at `ok`",
    )  # fmt: skip
    if reading.outcome != "ok":
        return
    yield _who("who am I?", anna, 1)
    yield from _remembers(it, anna)
    berta.do("login")  # not judged: that a login works is known by now, and if hers does not, the next step says so
    yield _who("a second person logs in: who is it?", berta, 2)
    if it.recall is not None:
        shown = berta.do("recall")
        yield _step(
            "what does it remember of the second person?", berta, shown.outcome == "ok" and not shown.shown.cart,
            _said(shown), "the second person is shown what the first one had remembered", remark=True,
        )  # fmt: skip
    yield _who("and the first one, still?", anna, 1)
    if it.logout is not None:
        yield from _leaves(app, it, anna, url, prefix)


def _remembers(it: Description, anna: WalkPerson) -> Iterator[WalkStep]:
    if it.remember is None:
        return
    do: Do = "remember" if it.remember.keeps == "one" else "add"
    expected: dict[str, int] = {}
    for sku in ("v001", "v002"):
        reading = anna.do(do, sku)
        yield _step(
            f"remember {sku}", anna, reading.outcome == "ok", _said(reading),
            "look at the fields of [remember], and at {csrf}",
        )  # fmt: skip
        # What keeps one thing shows the last alone; what keeps several shows both.
        expected = {sku: 1} if do == "remember" else {**expected, sku: 1}
        if it.recall is None:
            continue
        shown = anna.do("recall")
        yield _step(
            "read it back", anna, shown.shown.cart == expected, _said(shown),
            f"{' and '.join(expected)} should stand there: look at [recall] value, and at [remember] keeps",
        )  # fmt: skip


def _leaves(app: PreparedApplication, it: Description, anna: WalkPerson, url: str, prefix: str) -> Iterator[WalkStep]:
    # Copied before the logout: afterwards there is nothing left to be copied.
    thief = WalkPerson(app, 1, url, prefix)
    thief.copy_cookies(anna)
    reading = anna.do("logout")
    own = anna.status >= 500
    fault = "; if it is the application's own fault, omit [logout]: then it is not measured" if own else ""
    hint = f"look at [logout], and at {{csrf}}{fault}"
    yield _step("log out", anna, reading.outcome == "ok", _said(reading), hint)
    if reading.outcome != "ok":
        now = anna.do("me")
        known = "still logged in, because the logout was refused" if now.outcome == "ok" else _said(now)
        yield WalkStep("who am I, after that?", ", ".join(anna.went), True, f"{known}; nothing follows from that")
        return
    yield _stranger("who am I, after that?", anna, anna.do("me"))
    again = thief.do("me")
    yield _step(
        "who am I, with a copy of the cookies from before?", thief, again.outcome != "ok", _said(again),
        "the session is good after its logout: so are those of people who log out", remark=True,
    )  # fmt: skip
    anna.do("login")
    yield _who("log in again: who am I?", anna, 1)
    if it.recall is not None and it.remember is not None:
        shown, kept = anna.do("recall"), it.remember.kept_in == "account"
        yield _step(
            "what does it remember after the logout?", anna, shown.outcome == "ok" and bool(shown.shown.cart) == kept,
            _said(shown), f'the description says kept_in = "{it.remember.kept_in}"; it is the other one',
        )  # fmt: skip


def _who(what: str, person: WalkPerson, number: int) -> WalkStep:
    reading = person.do("me")
    known = reading.outcome == "ok" and reading.shown.user in ("", account_name(number))
    wrong = "it shows somebody else: look at [who] user and shows, or at the application"
    if reading.error == UNREADABLE:
        hint = "it answers without a name: look at [who] user, which finds nothing there; if none is told, omit it"
    elif reading.stranger:
        hint = "it answers as to a stranger: look at [who], and at [stranger]"
    else:
        hint = "that page is not shown: look at [who] send"
    return _step(what, person, known, _said(reading), wrong if reading.outcome == "ok" else hint)


def _stranger(what: str, person: WalkPerson, reading: Reading) -> WalkStep:
    hint = "nobody could tell a stranger from somebody who is logged in: say in [stranger] how one is answered"
    return _step(what, person, reading.stranger, _said(reading), hint)


def _step(what: str, person: WalkPerson, ok: bool, said: str, hint: str, *, remark: bool = False) -> WalkStep:
    answered = f" ({person.answered})" if person.answered else ""
    return WalkStep(what, ", ".join(person.went), ok, said if ok else f"{said}{answered}; {hint}", remark and not ok)


def first_line(body: bytes, secrets: Iterable[str] = ()) -> str:
    """The first line of an answer that says something, without markup, and with whatever may be a secret blanked."""
    # Cut, and in this order: an entity that becomes "<" only now is text, and no markup.
    text = html.unescape(_MARKUP.sub("\n", body[:100_000].decode(errors="replace")))
    lines = (" ".join("".join(c if c.isprintable() else " " for c in line).split()) for line in text.splitlines())
    line = next(filter(None, lines), "")
    for secret in secrets:
        # A shorter one stands in ordinary words, and blanking it would make the line unreadable.
        if len(secret) >= 4:
            line = line.replace(secret, "[secret]")
    line = _OPAQUE.sub("[…]", line)
    return line if len(line) <= SHOWN_LETTERS else f"{line[: SHOWN_LETTERS - 1]}…"


def _said(reading: Reading) -> str:
    """What the description made of an answer."""
    if reading.stranger:
        return "a stranger"
    if reading.outcome != "ok":
        return reading.error or "refused"
    shown = reading.shown
    parts = [f"known as {shown.user}"] if shown.user else []
    if shown.cart is not None:
        parts.append(f"remembers {', '.join(shown.cart) or 'nothing'}")
    return ", ".join(parts) or "acknowledged"
