"""How shoppers speak to an application, whichever it is: what each action is on the wire, and what its answer means.

An action is one request, or several: the page that holds its form comes before it, and redirects after it, as in a
browser. The last one that was sent is the action's; the others are recorded as pages on its way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping
from typing import Any, NamedTuple, cast
from urllib.parse import quote, urlencode, urljoin

import msgspec

from compose.applications import SHIPPED
from compose.applications.extraction import AnsweredPage, at_pointer, path_of
from compose.cluster import HttpInterface
from compose.interface import Call, ShopperInterface, ShownPlaces
from loadtests.load.answers import ShopAnswer, ShownState
from loadtests.load.contract import HttpRequest, Reading
from loadtests.model.history import UNREADABLE, WRITES, Do, Jar
from loadtests.model.plan import Action
from shared.demo_accounts import account_name

MOST_REDIRECTS = 6
"""Beyond this a browser gives up as well, if later."""
LOOPS, NO_CSRF = "redirect loop", "no csrf token"
CONTENT_TYPE = "Content-Type"
_ACCEPT = "text/html,application/json;q=0.9,*/*;q=0.8"
_VALUE = re.compile(r"tw-([0-9a-z]+)-(\d+)-(v\d+)")
_WORDS = re.compile(r"\{(?:user|password|value|sku|quantity|key|csrf|token)\}")
Steps = Generator[HttpRequest, ShopAnswer, Reading]
Words = Mapping[str, str | int]
"""What words in braces stand for."""


class AskedApplication(msgspec.Struct, frozen=True):
    """What a load process is told of the application: what it can be asked, and the accounts, shopper by shopper."""

    interface: ShopperInterface = SHIPPED.interface
    http: HttpInterface = SHIPPED.http
    accounts: tuple[tuple[str, str], ...] = ()
    """Names and passwords; none: the demo accounts, with the run's password."""


class PreparedCall(NamedTuple):
    """A call taken apart once, not for each request."""

    call: Call
    method: str
    path: str
    headers: dict[str, str]
    body: bytes | None
    """None: something is to be filled in, there, in the path or in the headers."""


class PreparedApplication:
    """An application, as all shoppers of a load process ask it."""

    def __init__(self, app: AskedApplication) -> None:
        self.it = it = app.interface
        self.http = app.http
        self.calls = {do: _prepared(call, it.headers) for do, call in it.calls.items()}
        self.accounts = app.accounts
        self.names = {it.shows_user.replace("{user}", name): n for n, (name, _) in enumerate(app.accounts, 1)}
        """Whose account is shown so."""
        self.told = {do: (call.method, call.path.replace("{sku}", "[sku]")) for do, call in it.calls.items()}
        """How Locust's statistics call each action; `page` is what an action fetches on its way."""
        self.told["page"] = ("GET", "page")
        self.tells_strangers = bool(it.stranger)
        self.login_page = (it.calls["login"].page or it.calls["login"].path).partition("?")[0]


def _prepared(call: Call, told: Mapping[str, str]) -> PreparedCall:
    headers = {"Accept": _ACCEPT, **told, **call.headers}
    if call.json is not None:
        headers.setdefault(CONTENT_TYPE, "application/json")
    elif call.form or call.method != "GET":
        headers.setdefault(CONTENT_TYPE, "application/x-www-form-urlencoded")
    open_ = any(map(_WORDS.search, (call.path, *headers.values(), *call.form.values(), repr(call.json))))
    return PreparedCall(call, call.method, call.path, headers, None if open_ else _body(call, {}))


class ApplicationClient:
    """How one shopper asks, with tokens of its own for each jar.

    `origin`: the address that redirects must not leave.
    """

    def __init__(
        self, app: PreparedApplication, account: tuple[str, str], shopper: int, prefix: str,
        cookies: Callable[[Jar], Mapping[str, str]], origin: str,
    ) -> None:  # fmt: skip
        self._app = app
        self._it = app.it
        self._account = account
        self._shopper = shopper
        self._prefix = prefix
        self._cookies = cookies
        self._origin = origin.rstrip("/")
        self._tokens: dict[Jar, str] = {}

    @property
    def audits(self) -> tuple[Do, ...]:
        """What is looked at last; what comes after the first is looked at only of somebody who is logged in."""
        return cast("tuple[Do, ...]", self._it.audits)

    def steps(self, action: Action) -> Steps:
        """The requests of an action, one by one: each yields, and is sent back, what was answered.

        The last one is the action's own; those before it are pages on its way.
        """
        prepared, jar = self._app.calls[action.do], action.jar
        if prepared.call.page:
            words = self._words(action)
            headers = self._headers(prepared, words)
            headers.pop(CONTENT_TYPE, None)
            page = yield from self._follow(HttpRequest("GET", prepared.call.page, headers, b""), jar)
            if reading := self._no_form(page, action.do, words):
                return reading
            page = yield from self._follow(self._filled(prepared, words), jar)
        else:
            page = yield from self._follow(self.request_of(action), jar)
        return self._read(action, page)

    def request_of(self, action: Action) -> HttpRequest:
        """The action's own request, of one that needs no page before it."""
        prepared = self._app.calls[action.do]
        if prepared.body is not None:
            return HttpRequest(prepared.method, prepared.path, prepared.headers.copy(), prepared.body)
        return self._filled(prepared, self._words(action))

    def copy_jar(self, source: Jar, to: Jar) -> None:
        """Tokens are copied with cookies."""
        self._tokens.pop(to, None)
        if source in self._tokens:
            self._tokens[to] = self._tokens[source]

    def copy_from(self, other: ApplicationClient) -> None:
        """Have the tokens that another one has."""
        self._tokens = dict(other._tokens)

    def empty_jar(self, jar: Jar) -> None:
        """Tokens are forgotten with cookies."""
        self._tokens.pop(jar, None)

    # --- sending -------------------------------------------------------------------------------------------------

    def _words(self, action: Action) -> dict[str, str | int]:
        name, password = self._account
        value = f"tw-{self._prefix}-{self._shopper:04d}-{action.sku}" if action.sku else ""
        csrf = self._it.csrf
        return {
            "{csrf}": self._cookies(action.jar).get(csrf.cookie, "") if csrf is not None and csrf.cookie else "",
            "{user}": name, "{password}": password, "{value}": value, "{token}": self._tokens.get(action.jar, ""),
            "{sku}": action.sku, "{quantity}": action.quantity, "{key}": action.key,
        }  # fmt: skip

    def _headers(self, prepared: PreparedCall, words: Words) -> dict[str, str]:
        """A header whose token is not known yet is left out."""
        told = prepared.headers
        return {name: filled(text, words) for name, text in told.items() if words["{token}"] or "{token}" not in text}

    def _filled(self, prepared: PreparedCall, words: Words) -> HttpRequest:
        path = prepared.path
        if "{" in path:
            path = filled(path, {word: quote(str(it), safe="") for word, it in words.items()})
        return HttpRequest(prepared.method, path, self._headers(prepared, words), _body(prepared.call, words))

    def _follow(self, asked: HttpRequest, jar: Jar) -> Generator[HttpRequest, ShopAnswer, _Arrived]:
        """Send it, and go where it is redirected to, as a browser does; never to another server."""
        reached = _Arrived()
        where = asked.path
        for _ in range(MOST_REDIRECTS + 1):
            reached.add((yield asked), lambda: self._cookies(jar))
            leads = reached.page.header("Location") if self._it.follows and 300 <= reached.status < 400 else ""
            led = urljoin(self._origin + where, leads) if leads else ""
            if not f"{led}/".startswith(f"{self._origin}/"):
                return reached
            where = reached.path = path_of(led) or "/"
            if reached.status in (307, 308):
                asked = asked._replace(path=where)
            else:  # a form goes once: what follows is a page
                kept = {name: text for name, text in asked.headers.items() if name != CONTENT_TYPE}
                asked = HttpRequest("GET", where, kept, b"")
        reached.loops = True
        return reached

    # --- reading -------------------------------------------------------------------------------------------------

    def _no_form(self, it: _Arrived, do: Do, words: dict[str, str | int]) -> Reading | None:
        """Why nothing can be sent from that page: then nothing was, and it surely did not happen."""
        if it.status == 0 or it.status >= 500:
            return Reading("failed", error=it.error)
        if do != "login" and self._is_stranger(it.page):
            return Reading("failed", stranger=True)
        if it.loops:
            return Reading("failed", error=LOOPS)
        csrf = self._it.csrf
        if csrf is not None:
            token = it.page.take(csrf)
            if token is None:
                return Reading("failed", error=NO_CSRF)
            words["{csrf}"] = token
        return None

    def _read(self, action: Action, it: _Arrived) -> Reading:
        do, page = action.do, it.page
        write = do in WRITES
        if it.status == 0 or it.status >= 500:
            return Reading("unknown" if write and it.may_have_happened else "failed", error=it.error)
        if it.loops:
            return Reading("unknown" if write else "failed", error=LOOPS)
        if do == "login":
            return self._read_login(action, page)
        if self._is_stranger(page):
            # Whoever only tries somebody else's cookies is answered properly by being turned away.
            tries = action.jar != "main" and not write
            # Who is a stranger after having asked to be logged out is what was asked for.
            left = do == "logout" and it.first_status < 400
            return Reading("ok" if tries or left else "failed", stranger=not left)
        if self._is_refused(page):
            return Reading("failed")
        if do == "logout":
            self.empty_jar(action.jar)
        return self._shown(do, page)

    def _read_login(self, action: Action, page: AnsweredPage) -> Reading:
        if not self._let_in(page):
            return Reading("failed")
        token = self._it.token
        if token is not None:
            found = page.take(token)
            if found is None:
                return Reading("unknown", error=UNREADABLE)
            self._tokens[action.jar] = found
        return self._shown("login", page)

    def _let_in(self, page: AnsweredPage) -> bool:
        if self._it.let_in:
            return page.shows(self._it.let_in)
        if self._is_refused(page) or self._is_stranger(page):
            return False
        # Whoever is refused is shown the form again, with 200; whoever is let in is led on.
        return bool(page.arrived) if self._it.calls["login"].form else True

    def _is_refused(self, page: AnsweredPage) -> bool:
        return page.status >= (400 if self._it.follows else 300)

    def _is_stranger(self, page: AnsweredPage) -> bool:
        if page.status == 401:
            return True
        if self._app.tells_strangers:
            return page.shows(self._it.stranger)
        return bool(page.arrived) and path_of(page.arrived).partition("?")[0] == self._app.login_page

    def _shown(self, do: Do, page: AnsweredPage) -> Reading:
        places = self._it.shows.get(do)
        if places is None:
            return Reading("ok")
        if places.values is not None:
            return Reading("ok", self._remembered(page.take_all(places.values)))
        shown = self._knows(do, places, page)
        if shown is None:
            return Reading("unknown" if do in WRITES else "failed", error=UNREADABLE)
        return Reading("ok", shown)

    def _knows(self, do: Do, places: ShownPlaces, page: AnsweredPage) -> ShownState | None:
        """What it shows; None: it cannot be read. Who asks who they are must be told a name: otherwise it could be
        anybody's page."""
        name = page.take(places.user) if places.user is not None else None
        if do == "me" and places.user is not None and not name:
            return None
        number = self._app.names.get(name) if name else None
        user = account_name(number) if number else (name or "")[:80]
        return in_json(places, page.at(""), user) if places.in_json else ShownState(user)

    def _remembered(self, texts: list[str]) -> ShownState:
        """This run's values; of somebody else's, whose they are. What earlier runs left behind is nothing.

        Where one is kept, the first that is shown counts: pages list the newest first.
        """
        one = self._it.keeps_one
        texts = texts[:1] if one else texts
        found = [match.groups() for text in texts for match in _VALUE.finditer(text) if match[1] == self._prefix]
        others = [int(shopper) for _, shopper, _ in found if int(shopper) != self._shopper]
        if others:
            return ShownState(user=account_name(others[0]))
        cart: dict[str, int] = {}
        for _, _, sku in found:
            cart[sku] = cart.get(sku, 0) + 1
        return ShownState(cart=dict.fromkeys(cart, 1) if one else cart)


class _Arrived:
    """Where following led, and what came on the way."""

    __slots__ = ("error", "first_status", "loops", "may_have_happened", "page", "path", "status")

    page: AnsweredPage

    def __init__(self) -> None:
        self.path = ""
        self.loops = False
        self.first_status = -1

    def add(self, answer: ShopAnswer, cookies: Callable[[], Mapping[str, str]]) -> None:
        """The next answer."""
        if self.first_status < 0:
            self.first_status, self.may_have_happened = answer.status, answer.sent
        self.status, self.error = answer.status, answer.error
        self.page = AnsweredPage(answer.status, answer.body, answer.header, cookies, self.path)


def in_json(places: ShownPlaces, document: object, user: str) -> ShownState | None:
    """What stands at these places; None if that is no such document. What it does not have it does not say."""
    if not isinstance(document, dict):
        return None
    orders = at_pointer(document, places.orders) if places.orders else None
    found = {
        "user": user,
        "cart": at_pointer(document, places.cart) if places.cart else None,
        "order": at_pointer(document, places.order) or "" if places.order else "",
        "orders": [at_pointer(each, places.order) for each in orders] if isinstance(orders, list) else orders,
    }
    try:
        return msgspec.convert(found, ShownState)
    except msgspec.ValidationError:
        return None


def _body(call: Call, words: Words) -> bytes:
    if call.json is not None:
        return msgspec.json.encode(_filled_json(call.json, words))
    return urlencode({name: filled(text, words) for name, text in call.form.items()}).encode() if call.form else b""


def filled(text: str, words: Words) -> str:
    """The text with its words filled in."""
    return _WORDS.sub(lambda found: str(words.get(found[0], "")), text) if "{" in text else text


def _filled_json(value: Any, words: Words) -> Any:
    """A whole text that is one word is what that stands for: a number stays one."""
    if isinstance(value, str):
        return words[value] if value in words else filled(value, words)
    if isinstance(value, Mapping):
        return {key: _filled_json(each, words) for key, each in value.items()}
    return [_filled_json(each, words) for each in value] if isinstance(value, list) else value
