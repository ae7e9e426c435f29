"""Shoppers of an application that somebody described: what each action is on the wire, and what its answer means.

An action is one request, or several: the page that holds its form comes before it, and redirects after it, as in a
browser. The last one that was sent is the action's; the others are recorded as pages on its way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping
from typing import Any
from urllib.parse import quote, urlencode, urljoin

import msgspec

from compose.applications.extraction import AnsweredPage, path_of
from compose.description import Call, Description
from loadtests.load.answers import ShopAnswer, ShownState
from loadtests.load.contract import HttpRequest, Reading, ShopperClient
from loadtests.model.history import UNREADABLE, WRITES, Do, Jar
from loadtests.model.plan import Action
from shared.demo_accounts import account_name

MOST_REDIRECTS = 6
"""Beyond this a browser gives up as well, if later."""
LOOPS, NO_CSRF = "redirect loop", "no csrf token"
_ACCEPT = "text/html,application/json;q=0.9,*/*;q=0.8"
_VALUE = re.compile(r"tw-([0-9a-z]+)-(\d+)-(v\d+)")
_WORDS = re.compile(r"\{(user|password|value|csrf|token)\}")
Steps = Generator[HttpRequest, ShopAnswer, Reading]


class DescribedApp(msgspec.Struct, frozen=True):
    """What a load process is told of the application: its description, and the accounts, shopper by shopper."""

    description: Description
    accounts: tuple[tuple[str, str], ...]
    """Names and passwords."""

    def names(self) -> dict[str, int]:
        """What `[who]` shows of each account, and whose it is."""
        shows = self.description.who.shows
        return {shows.replace("{user}", name): number for number, (name, _) in enumerate(self.accounts, 1)}


class DescribedClient(ShopperClient):
    """How one shopper asks, with tokens of its own for each jar."""

    def __init__(
        self, app: DescribedApp, names: Mapping[str, int], shopper: int, prefix: str,
        cookies: Callable[[Jar], Mapping[str, str]], origin: str,
    ) -> None:  # fmt: skip
        self._app = it = app.description
        self._account = app.accounts[shopper - 1]
        self._names = names
        self._shopper = shopper
        self._prefix = prefix
        self._cookies = cookies
        self._origin = origin.rstrip("/")
        self._tokens: dict[Jar, str] = {}
        self.audits: tuple[Do, ...] = ("me", "recall") if it.recall is not None else ("me",)
        self._calls = it.calls()

    def steps(self, action: Action) -> Steps:
        """Fetch the page with the form if there is one, send, follow redirects, and read what came."""
        call, jar = self._calls[action.do], action.jar
        fill = self._fill(action)
        if call.page:
            page = yield from self._follow(HttpRequest("GET", call.page, self._headers(call, fill), b""), jar)
            if reading := self._no_form(page, call, fill):
                return reading
        sent = self._request(call, fill)
        page = yield from self._follow(sent, jar)
        return self._read(action, page)

    def copy_jar(self, source: Jar, to: Jar) -> None:
        """Tokens are copied with cookies."""
        self._tokens.pop(to, None)
        if source in self._tokens:
            self._tokens[to] = self._tokens[source]

    def copy_from(self, other: DescribedClient) -> None:
        """Have the tokens that another one has."""
        self._tokens = dict(other._tokens)

    def empty_jar(self, jar: Jar) -> None:
        """Tokens are forgotten with cookies."""
        self._tokens.pop(jar, None)

    # --- sending -------------------------------------------------------------------------------------------------

    def _fill(self, action: Action) -> dict[str, str]:
        name, password = self._account
        value = f"tw-{self._prefix}-{self._shopper:04d}-{action.sku}" if action.sku else ""
        return {"user": name, "password": password, "value": value, "token": self._tokens.get(action.jar, "")}

    def _headers(self, call: Call, fill: Mapping[str, str]) -> dict[str, str]:
        """A header whose token is not known yet is left out."""
        told = {**self._app.headers, **call.headers}
        known = {name: text for name, text in told.items() if "{token}" not in text or fill["token"]}
        return {"Accept": _ACCEPT} | {name: filled(text, fill) for name, text in known.items()}

    def _request(self, call: Call, fill: Mapping[str, str]) -> HttpRequest:
        headers = self._headers(call, fill)
        path = filled(call.path, {name: quote(text, safe="") for name, text in fill.items()})
        body = b""
        if call.json is not None:
            headers["Content-Type"] = "application/json"
            body = msgspec.json.encode(_filled_json(call.json, fill))
        elif call.form or call.method != "GET":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode({name: filled(text, fill) for name, text in call.form.items()}).encode()
        return HttpRequest(call.method, path, headers, body)

    def _follow(self, asked: HttpRequest, jar: Jar) -> Generator[HttpRequest, ShopAnswer, _Arrived]:
        """Send it, and go where it is redirected to, as a browser does; never to another server."""
        reached = _Arrived(asked.method)
        where = asked.path
        for _ in range(MOST_REDIRECTS + 1):
            answer = yield asked
            reached.add(
                answer, AnsweredPage(answer.status, answer.body, answer.header, self._cookies(jar), reached.path)
            )
            leads = answer.header("Location") if 300 <= answer.status < 400 else ""
            led = urljoin(self._origin + where, leads)
            if not leads or not f"{led}/".startswith(f"{self._origin}/"):
                return reached
            where = reached.path = path_of(led) or "/"
            if answer.status in (307, 308):
                asked = asked._replace(path=where)
            else:  # a form goes once: what follows is a page
                kept = {name: text for name, text in asked.headers.items() if name != "Content-Type"}
                asked = HttpRequest("GET", where, kept, b"")
        reached.loops = True
        return reached

    # --- reading -------------------------------------------------------------------------------------------------

    def _no_form(self, it: _Arrived, call: Call, fill: dict[str, str]) -> Reading | None:
        """Why nothing can be sent from that page: then nothing was, and it surely did not happen."""
        if it.status == 0 or it.status >= 500:
            return Reading("failed", error=it.error)
        if call is not self._app.login and self._is_stranger(it.page):
            return Reading("failed", stranger=True)
        if it.loops:
            return Reading("failed", error=LOOPS)
        csrf = self._app.csrf
        if csrf is not None:
            token = it.page.take(csrf)
            if token is None:
                return Reading("failed", error=NO_CSRF)
            fill["csrf"] = token
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
        if self._is_stranger(page) and action.jar != "main" and not write:
            return Reading("ok", stranger=True)  # whoever only tries somebody else's cookies is answered properly
        if self._is_stranger(page):
            # Who is a stranger after having asked to be logged out is what was asked for.
            return Reading("ok") if do == "logout" and it.first_status < 400 else Reading("failed", stranger=True)
        if it.status >= 400:
            return Reading("failed")
        if do == "logout":
            self.empty_jar(action.jar)
        return self._shown(do, page)

    def _read_login(self, action: Action, page: AnsweredPage) -> Reading:
        if not self._let_in(page):
            return Reading("failed")
        token = self._app.login.token
        if token is not None:
            found = page.take(token)
            if found is None:
                return Reading("unknown", error=UNREADABLE)
            self._tokens[action.jar] = found
        return Reading("ok")

    def _let_in(self, page: AnsweredPage) -> bool:
        login = self._app.login
        if login.ok:
            return page.shows(login.ok)
        if page.status >= 400 or self._is_stranger(page):
            return False
        # Whoever is refused is shown the form again, with 200; whoever is let in is led on.
        return bool(page.arrived) if login.form else True

    def _is_stranger(self, page: AnsweredPage) -> bool:
        it = self._app
        if page.status == 401:
            return True
        if it.stranger:
            return page.shows(it.stranger)
        led = path_of(page.arrived).partition("?")[0]
        return bool(led) and led == (it.login.page or it.login.path).partition("?")[0]

    def _shown(self, do: Do, page: AnsweredPage) -> Reading:
        if do == "me" and self._app.who.user is not None:
            shown = page.take(self._app.who.user)
            if not shown:  # where nothing stands nobody's name does: it could be anybody's page
                return Reading("failed", error=UNREADABLE)
            number = self._names.get(shown)
            return Reading("ok", ShownState(user=account_name(number) if number else shown[:80]))
        if do == "recall" and self._app.recall is not None:
            return self._remembered(page.take_all(self._app.recall.value))
        return Reading("ok")

    def _remembered(self, texts: list[str]) -> Reading:
        """This run's values; of somebody else's, whose they are. What earlier runs left behind is nothing.

        Where one is kept, the first that is shown counts: pages list the newest first.
        """
        one = self._app.remember is not None and self._app.remember.keeps == "one"
        texts = texts[:1] if one else texts
        found = [match.groups() for text in texts for match in _VALUE.finditer(text) if match[1] == self._prefix]
        others = [int(shopper) for _, shopper, _ in found if int(shopper) != self._shopper]
        if others:
            return Reading("ok", ShownState(user=account_name(others[0])))
        cart: dict[str, int] = {}
        for _, _, sku in found:
            cart[sku] = cart.get(sku, 0) + 1
        return Reading("ok", ShownState(cart=dict.fromkeys(cart, 1) if one else cart))


class _Arrived:
    """Where following led, and what came on the way."""

    def __init__(self, method: str) -> None:
        self.path = ""
        self.loops = False
        self.first_status = 0
        self.may_have_happened = True
        self.status = 0
        self.error = ""
        self._any = False

    def add(self, answer: ShopAnswer, page: AnsweredPage) -> None:
        """The next answer."""
        if not self._any:
            self.first_status, self.may_have_happened, self._any = answer.status, answer.sent, True
        self.status, self.error, self.page = answer.status, answer.error, page


def filled(text: str, fill: Mapping[str, str]) -> str:
    """The text with its words filled in."""
    return _WORDS.sub(lambda found: fill.get(found[1], ""), text)


def _filled_json(value: Any, fill: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return filled(value, fill)
    if isinstance(value, Mapping):
        return {key: _filled_json(each, fill) for key, each in value.items()}
    return [_filled_json(each, fill) for each in value] if isinstance(value, list) else value
