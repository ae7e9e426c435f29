"""What each action is on the wire."""

from __future__ import annotations

import msgspec

from loadtests.model.history import Do
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

Request = tuple[str, str, dict[str, str], bytes]


class Requests:
    """How one shopper asks."""

    def __init__(self, user: str, password: str, address: str) -> None:
        self._address = address
        self._login_body = msgspec.json.encode({"user": user, "password": password})

    def of(self, action: Action, request: str) -> Request:
        """Method, path, headers and body."""
        do = action.do
        method, path = PATHS[do]
        headers = {"Accept": _ACCEPT.get(do, _JSON), "X-Request-Id": request, "X-Forwarded-For": self._address}
        if method == "GET":
            return method, path, headers, b""
        headers["Content-Type"] = _JSON
        if do == "remove":
            return method, path + action.sku, headers, b""
        if do == "add":
            return method, path, headers, msgspec.json.encode({"sku": action.sku, "quantity": action.quantity})
        if do == "login":
            return method, path, headers, self._login_body
        if do == "checkout":
            headers["Idempotency-Key"] = action.key
        return method, path, headers, b"{}"
