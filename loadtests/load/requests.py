"""What each action is on the wire, of the twins."""

from __future__ import annotations

from collections.abc import Generator

import msgspec

from loadtests.load.answers import NOTHING, UNREAD, ShopAnswer, outcome_of, read_answer
from loadtests.load.contract import HttpRequest, Reading, ShopperClient
from loadtests.model.history import UNREADABLE, WRITES, Do
from loadtests.model.plan import Action

PATHS: dict[Do, tuple[str, str]] = {
    "login": ("POST", "/login"),
    "browse": ("GET", "/products"),
    "add": ("POST", "/cart"),
    "remove": ("DELETE", "/cart/"),
    "cart": ("GET", "/cart"),
    "checkout": ("POST", "/checkout"),
    "orders": ("GET", "/orders"),
    "me": ("GET", "/me"),
    "logout": ("POST", "/logout"),
    "logout_everywhere": ("POST", "/logout/everywhere"),
    "linger": ("GET", "/recommendations"),
    "watch": ("GET", "/orders/progress"),
    "arrive": ("GET", "/login"),
}
"""Method and path of each action that sends anything; the sku follows that of a removal."""
_JSON = "application/json"
_ACCEPT: dict[Do, str] = {
    "watch": "text/event-stream",
    "arrive": "text/html",  # a page with a form, whose CSRF token needs a session
}


class ShopClient(ShopperClient):
    """How one shopper asks the twins: one request an action."""

    audits = ("me", "orders")

    def __init__(self, user: str, password: str) -> None:
        self._login_body = msgspec.json.encode({"user": user, "password": password})

    def steps(self, action: Action) -> Generator[HttpRequest, ShopAnswer, Reading]:
        """Send it, and read the answer."""
        answer = yield self.request_of(action)
        do = action.do
        shown = NOTHING if do in UNREAD else read_answer(answer)
        if shown is None:
            return Reading("unknown" if do in WRITES else "failed", error=UNREADABLE)
        return Reading(outcome_of(do, answer, action.jar), shown, answer.error)

    def request_of(self, action: Action) -> HttpRequest:
        """Method, path, headers and body."""
        do = action.do
        method, path = PATHS[do]
        headers = {"Accept": _ACCEPT.get(do, _JSON)}
        if method == "GET":
            return HttpRequest(method, path, headers, b"")
        headers["Content-Type"] = _JSON
        if do == "remove":
            return HttpRequest(method, path + action.sku, headers, b"")
        if do == "add":
            body = msgspec.json.encode({"sku": action.sku, "quantity": action.quantity})
            return HttpRequest(method, path, headers, body)
        if do == "login":
            return HttpRequest(method, path, headers, self._login_body)
        if do == "checkout":
            headers["Idempotency-Key"] = action.key
        return HttpRequest(method, path, headers, b"{}")
