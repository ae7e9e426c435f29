"""A participant without a browser: joins, predicts, and shops in both shops, from an address of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from compose.applications import SHIPPED
from loadtests.load.calls import request_for
from loadtests.workshop.contract import Guest, RoundSide
from loadtests.workshop.rehearsal.other_device import OtherDevice
from shared.errors import TwinshopError

ANSWER_WITHIN_S = 30.0
Call = Callable[[Callable[[], requests.Response]], requests.Response]


class _From(HTTPAdapter):
    """Asks from that address; "": from any."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        """With connections that begin there."""
        super().init_poolmanager(*args, **more, source_address=(self._address, 0))


class RoomVisitor:
    """One person with one cookie jar, at one address of another device (or of this one, where there is no other)."""

    def __init__(self, home: str, address: str = "", device: OtherDevice | None = None) -> None:
        self.home = home
        self.address = address
        self.node = ""
        """Of the shop that was asked last: who answered."""
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy may stand between a machine and itself
        self.session.mount("http://", _From(address))
        self._call: Call = device.call if device else lambda do: do()

    def ask(self, method: str, path: str, *, to: str = "", **more: Any) -> requests.Response:
        """As a program asks; `to`: another server than the dashboard."""
        headers = {"Accept": "application/json", **more.pop("headers", {})}
        prepared = self.session.prepare_request(requests.Request(method, self.home, headers=headers, **more))
        prepared.url = (to or self.home) + path  # as it was typed: nobody tidies it up on the way
        return self._call(lambda: self.session.send(prepared, timeout=ANSWER_WITHIN_S, allow_redirects=False))

    def get(self, path: str, **more: Any) -> requests.Response:
        """Ask for something."""
        return self.ask("GET", path, **more)

    def post(self, path: str, body: object, **more: Any) -> requests.Response:
        """Send something, as a page of that server does."""
        headers = {"Origin": more.get("to") or self.home, **more.pop("headers", {})}
        return self.ask("POST", path, json=body, headers=headers, **more)

    def joins(self, code: str, name: str = "") -> requests.Response:
        """Through the door; where none is asked for a code, by opening the page."""
        return self.post("/join", {"code": code, "name": name}) if code else self.get("/")

    def predicts(self, answers: Mapping[str, str], reason: str = "so") -> requests.Response:
        """Commit a prediction."""
        return self.post("/api/predictions", {"answers": dict(answers), "reason": reason})

    def me(self) -> dict[str, Any]:
        """What the dashboard says of them."""
        told: dict[str, Any] = self.get("/api/me").json()
        return told

    def account(self) -> Guest:
        """Their own, in both shops.

        Raises:
            TwinshopError: nobody can enter them now.
        """
        me = self.me()
        if not me["password"]:
            raise TwinshopError("the shops cannot be entered", why="results are covered, or nobody shops")
        return Guest(me["user"], me["password"])

    def logs_in(self, shop: str) -> requests.Response:
        """To that shop, with the account that the dashboard has told."""
        account = self.account()
        return self.asks_shop(shop, "login", user=account.user, password=account.password)

    def is_known(self, side: RoundSide) -> bool | None:
        """Whether that shop knows them; None: it does not say."""
        status = self.asks_shop(side.shop_url, "cart").status_code
        return {requests.codes.ok: True, requests.codes.unauthorized: False}.get(status)

    def asks_shop(self, shop: str, what: str, **words: str | int) -> requests.Response:
        """What a shopper would do there, as a page of that shop sends it."""
        sent = request_for(SHIPPED.interface, what, **words)
        origin = {"Origin": shop} if sent.body else {}
        answer = self.ask(sent.method, sent.path, to=shop, headers=sent.headers | origin, data=sent.body)
        self.node = answer.headers.get(SHIPPED.http.node_header, self.node)
        return answer

    def close(self) -> None:
        """Leave without a word."""
        self.session.close()
