"""Shoppers of an application that answers in JSON, one request an action: of the twins, by what they can be asked."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NamedTuple

from msgspec.json import encode

from compose.applications.twins import CALLS
from compose.description import Call
from loadtests.load.answers import NOTHING, UNREAD, ShopAnswer, outcome_of, read_answer
from loadtests.load.contract import HttpRequest, Reading, ShopperClient
from loadtests.model.history import UNREADABLE, WRITES
from loadtests.model.plan import Action


class _Prepared(NamedTuple):
    """A call taken apart once, not for each request."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any] | None
    same: bool
    """Nothing is filled in."""


def _prepared(call: Call) -> _Prepared:
    headers = dict(call.headers)
    if call.json is not None:
        headers["Content-Type"] = "application/json"
    same = not call.json and not any("{" in text for text in (call.path, *headers.values()))
    return _Prepared(call.method, call.path, headers, call.json, same)


PREPARED = {do: _prepared(call) for do, call in CALLS.items()}
EMPTY_OBJECT = b"{}"


class ShopClient(ShopperClient):
    """How one shopper asks: one request an action."""

    audits = ("me", "orders")

    def __init__(self, user: str, password: str) -> None:
        self._account: dict[str, str | int] = {"{user}": user, "{password}": password}

    def steps(self, action: Action) -> Generator[HttpRequest, ShopAnswer, Reading]:
        """Send it, and read the answer."""
        answer = yield self.request_of(action)
        do = action.do
        shown = NOTHING if do in UNREAD else read_answer(answer)
        if shown is None:
            return Reading("unknown" if do in WRITES else "failed", error=UNREADABLE)
        return Reading(outcome_of(do, answer, action.jar), shown, answer.error)

    def request_of(self, action: Action) -> HttpRequest:
        """Method, path, headers and body: a whole value in braces is what it stands for, a number stays one."""
        method, path, headers, body, same = PREPARED[action.do]
        if same:
            return HttpRequest(method, path, headers.copy(), b"" if body is None else EMPTY_OBJECT)
        words = {**self._account, "{sku}": action.sku, "{quantity}": action.quantity, "{key}": action.key}
        filled = {name: str(words.get(value, value)) for name, value in headers.items()}
        sent = b"" if body is None else encode({name: words.get(value, value) for name, value in body.items()})
        return HttpRequest(method, path.replace("{sku}", action.sku), filled, sent)
