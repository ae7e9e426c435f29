"""How shoppers speak to an application, whichever it is: what each action is on the wire, and what its answer means.

An action is one request, or several: the page that holds its form comes before it, and redirects after it, as in a
browser. The last one that was sent is the action's; the others are recorded as pages on its way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from typing import Any, cast
from urllib.parse import quote, urljoin

import msgspec
from msgspec.structs import replace

from compose.applications import SHIPPED
from compose.applications.extraction import AnsweredPage, path_of
from compose.cluster import HttpInterface
from compose.interface import ShopperInterface, ShownKeys
from loadtests.load.answers import HttpRequest, Reading, ShopAnswer, ShownState
from loadtests.load.calls import CONTENT_TYPE, prepared_call
from loadtests.load.cookies import Pocket
from loadtests.model.history import UNREADABLE, WRITES, Do, Jar
from loadtests.model.plan import Action
from shared.demo_accounts import account_name

MOST_REDIRECTS = 6  # beyond this a browser gives up as well, if later
LOOPS, NO_CSRF = "redirect loop", "no csrf token"
_VALUE = re.compile(r"tw-([0-9a-z]+)-(\d+)-(v\d+)")  # as `_words` writes it: of which run, whose, which
_IN_PATHS = "!#$%&'()*+,/:;=?@[]~"  # RFC 3986, and what is encoded already
Steps = Generator[HttpRequest, ShopAnswer, Reading]


class AskedApplication(msgspec.Struct, frozen=True):
    """What a load process is told of the application: what it can be asked, and the accounts, shopper by shopper."""

    interface: ShopperInterface = SHIPPED.interface
    http: HttpInterface = SHIPPED.http
    accounts: tuple[tuple[str, str], ...] = ()
    """Names and passwords; none: the demo accounts, with the run's password."""


class PreparedApplication:
    """An application, as all shoppers of a load process ask it."""

    def __init__(self, app: AskedApplication) -> None:
        self.it = it = app.interface
        self.http = app.http
        self.calls = {do: prepared_call(call, it.headers) for do, call in it.calls.items()}
        self.accounts = app.accounts
        # Whose account is shown so: the history knows shoppers by number, whatever their accounts are called.
        self.names = {it.shows_user.replace("{user}", name): n for n, (name, _) in enumerate(app.accounts, 1)}
        self.locust_names = {do: (call.method, call.path.replace("{sku}", "[sku]")) for do, call in it.calls.items()}
        """How Locust's statistics call each action; `page` is what an action fetches on its way."""
        self.locust_names["page"] = ("GET", "page")
        self._decoders = {places.keys: _decoder(places.keys) for places in it.shows.values() if places.keys}
        self.tells_strangers = bool(it.stranger)
        self.login_page = (it.calls["login"].page or it.calls["login"].path).partition("?")[0]

    def in_object(self, keys: ShownKeys, body: bytes) -> ShownState | None:
        """What a JSON object has under these keys; None if it is none, or has something else there."""
        try:
            found = self._decoders[keys](body)
        except msgspec.DecodeError:
            return None
        orders = None if found.orders is None else tuple(each.order for each in found.orders)
        return ShownState(found.user, found.cart, found.order, orders)


def _decoder(keys: ShownKeys) -> Callable[[bytes], Any]:
    """Made for these keys: what an answer says beyond them is skipped and not built, which is what makes it quick."""
    order = msgspec.defstruct("ShownOrder", [("order", str)], rename={"order": keys.order})
    fields: list[tuple[str, Any, Any]] = [
        ("user", str, ""), ("cart", dict[str, int] | None, None), ("order", str, ""),
        ("orders", tuple[order, ...] | None, None),  # type: ignore[valid-type]
    ]  # fmt: skip
    shown = msgspec.defstruct("ShownObject", fields, rename=msgspec.structs.asdict(keys))
    return msgspec.json.Decoder(shown).decode


class ApplicationClient:
    """How one shopper asks, with tokens of its own for each jar.

    `origin`: the address that redirects must not leave.
    """

    def __init__(
        self, app: PreparedApplication, account: tuple[str, str], shopper: int, prefix: str,
        pocket: Callable[[Jar], Pocket], origin: str,
    ) -> None:  # fmt: skip
        self._app = app
        self._it = app.it
        self._account = account
        self._shopper = shopper
        self._prefix = prefix
        self._pocket = pocket
        self._origin = origin.rstrip("/")

    @property
    def audits(self) -> tuple[Do, ...]:
        """What is looked at last; what comes after the first is looked at only of somebody who is logged in."""
        return cast("tuple[Do, ...]", self._it.audits)

    def steps(self, action: Action) -> Steps:
        """The requests of an action, one by one: each yields, and is sent back, what was answered.

        The last one is the action's own; those before it are pages on its way. It ends when there is no answer.
        """
        prepared, jar = self._app.calls[action.do], action.jar
        if not self._it.follows:
            reached = _Arrived()
            reached.add((yield self.request_of(action)), self._pocket(jar))  # no page before it, and none after it
            return self._read(action, reached)
        if prepared.call.page:
            words = self._words(action)
            headers = prepared.headers_with(words)
            headers.pop(CONTENT_TYPE, None)  # of the form's body; the page is asked for without any
            page = yield from self._follow(HttpRequest("GET", prepared.call.page, headers, b""), jar)
            if reading := self._no_form(page, action.do, words):
                return reading
            page = yield from self._follow(prepared.request(words), jar)
        else:
            page = yield from self._follow(self.request_of(action), jar)
        return self._read(action, page)

    def request_of(self, action: Action) -> HttpRequest:
        """The action's own request, of one that needs no page before it."""
        prepared = self._app.calls[action.do]
        # Where nothing is to be filled in, the words are not even gathered: most requests of a run go this way.
        return prepared.request({} if prepared.body is not None else self._words(action))

    def _words(self, action: Action) -> dict[str, str | int]:
        name, password = self._account
        value = f"tw-{self._prefix}-{self._shopper:04d}-{action.sku}" if action.sku else ""
        csrf, pocket = self._it.csrf, self._pocket(action.jar)
        return {
            "{csrf}": pocket.by_name().get(csrf.cookie, "") if csrf is not None and csrf.cookie else "",
            "{user}": name, "{password}": password, "{value}": value, "{token}": pocket.token,
            "{sku}": action.sku, "{quantity}": action.quantity, "{key}": action.key,
        }  # fmt: skip

    def _follow(self, asked: HttpRequest, jar: Jar) -> Generator[HttpRequest, ShopAnswer, _Arrived]:
        """Send it, and go where it is redirected to, as a browser does; never to another server."""
        reached = _Arrived()
        where = asked.path
        for _ in range(MOST_REDIRECTS + 1):
            reached.add((yield asked), self._pocket(jar))
            leads = reached.page.header("Location") if 300 <= reached.status < 400 else ""
            led = urljoin(self._origin + where, leads) if leads else ""
            # With the slash: an address on port 80 is also how one on port 8080 begins.
            if not f"{led}/".startswith(f"{self._origin}/"):
                return reached
            # As browsers do: many an application redirects to "/?told=Logged in", and HTTP has no such path.
            where = reached.path = quote(path_of(led).encode("latin-1"), safe=_IN_PATHS) or "/"
            if reached.status in (307, 308):  # these two keep method and body (RFC 9110)
                asked = asked._replace(path=where)
            else:  # a form goes once: what follows is a page
                kept = {name: text for name, text in asked.headers.items() if name != CONTENT_TYPE}
                asked = HttpRequest("GET", where, kept, b"")
        reached.loops = True
        return reached

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
            # From this very page: many frameworks take a token only in the session that it was made for.
            token = it.page.take(csrf)
            if token is None:
                return Reading("failed", error=NO_CSRF)
            words["{csrf}"] = token
        return None

    def _read(self, action: Action, it: _Arrived) -> Reading:
        do, page = action.do, it.page
        write = do in WRITES
        if it.status == 0 or it.status >= 500:
            # By the first request: it is the one that writes, and what follows it only shows what became of that.
            return Reading("unknown" if write and it.may_have_happened else "failed", error=it.error)
        if it.loops:
            return Reading("unknown" if write else "failed", error=LOOPS)
        if do == "login":
            return self._read_login(action, page)
        if self._is_stranger(page):
            # Whoever only tries somebody else's cookies is answered properly by being turned away.
            tries = action.jar != "main" and not write
            # After a logout, to be answered as a stranger is what the shopper asked for.
            left = do == "logout" and it.first_status < 400
            return Reading("ok" if tries or left else "failed", stranger=not left)
        if self._is_refused(page):
            return Reading("failed")
        if do == "logout":
            self._pocket(action.jar).token = ""
        return self._shown(do, page)

    def _read_login(self, action: Action, page: AnsweredPage) -> Reading:
        if not self._let_in(page):
            return Reading("failed")
        token = self._it.token
        if token is not None:
            found = page.take(token)
            if found is None:  # let in, perhaps, and without the token nobody can ask whether
                return Reading("unknown", error=UNREADABLE)
            self._pocket(action.jar).token = found
        return self._shown("login", page)

    def _let_in(self, page: AnsweredPage) -> bool:
        if self._it.let_in:
            return page.shows(self._it.let_in)
        if self._is_refused(page) or self._is_stranger(page):
            return False
        # A form that refuses a login is mostly shown again, with 200; one that accepts it redirects.
        return bool(page.arrived) if self._it.calls["login"].form else True

    def _is_refused(self, page: AnsweredPage) -> bool:
        # Where redirects are not followed, an answer is the thing itself: being sent elsewhere is a refusal.
        return page.status >= (400 if self._it.follows else 300)

    def _is_stranger(self, page: AnsweredPage) -> bool:
        if page.status == 401:
            return True
        if self._app.tells_strangers:
            return page.shows(self._it.stranger)
        # Nothing is said of strangers: then they are who ends at the login page without having asked for it.
        return bool(page.arrived) and path_of(page.arrived).partition("?")[0] == self._app.login_page

    def _shown(self, do: Do, page: AnsweredPage) -> Reading:
        """What it shows. Who asks who they are must be told a name: otherwise it could be anybody's page."""
        places = self._it.shows.get(do)
        if places is None:
            return Reading("ok")
        if places.values is not None:
            return Reading("ok", self._remembered(page.take_all(places.values)))
        if places.keys is not None:
            shown = self._app.in_object(places.keys, page.body)
            names_nobody = shown is None or (do == "me" and not shown.user)
        else:
            name = page.take(places.user) if places.user is not None else None
            shown, names_nobody = ShownState(name or ""), places.user is not None and not name
        if shown is None or names_nobody:
            return Reading("unknown" if do in WRITES else "failed", error=UNREADABLE)
        if self._app.names and shown.user:
            number = self._app.names.get(shown.user)
            # Nobody of ours: a name all the same, for `wrong_user`, but a page's text may be of any length.
            shown = replace(shown, user=account_name(number) if number else shown.user[:80])
        return Reading("ok", shown)

    def _remembered(self, texts: list[str]) -> ShownState:
        """This run's values; of somebody else's, whose they are. What earlier runs left behind is nothing.

        Where one is kept, the first that is shown counts: pages list the newest first.
        """
        one = self._it.keeps_one
        texts = texts[:1] if one else texts
        found = [match.groups() for text in texts for match in _VALUE.finditer(text) if match[1] == self._prefix]
        # One of somebody else's is enough to tell whose page it is.
        others = [int(shopper) for _, shopper, _ in found if int(shopper) != self._shopper]
        if others:
            return ShownState(user=account_name(others[0]))
        cart: dict[str, int] = {}
        for _, _, sku in found:
            cart[sku] = cart.get(sku, 0) + 1
        return ShownState(cart=dict.fromkeys(cart, 1) if one else cart)


def read_page(answer: ShopAnswer) -> Reading:
    """What the answer to a page on an action's way means: it is there, or it leads on, or not."""
    return Reading("ok" if 200 <= answer.status < 400 else "failed", error=answer.error)


class _Arrived:
    """Where following led, and what came on the way."""

    __slots__ = ("error", "first_status", "loops", "may_have_happened", "page", "path", "status")

    page: AnsweredPage

    def __init__(self) -> None:
        self.path = ""
        self.loops = False
        self.first_status = -1

    def add(self, answer: ShopAnswer, pocket: Pocket) -> None:
        """The next answer."""
        if self.first_status < 0:  # the first answer, to what the action itself sends
            self.first_status, self.may_have_happened = answer.status, answer.sent
        self.status, self.error = answer.status, answer.error
        self.page = AnsweredPage(answer.status, answer.body, answer.header, pocket.by_name, self.path)
