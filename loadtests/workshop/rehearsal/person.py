"""A person of one's own in a shop: logs in once, fills a cart, and looks at it again. As `Guest`, not as a shopper."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

import requests

from loadtests.workshop.contract import Guest

ANSWER_WITHIN_S = 10.0
GOODS = "postcard"
TRIES = 20
"""Where the next node in turn is asked, some requests go wrong: a person would try again, too."""

Known = Literal["known", "stranger"]


class Person:
    """One person with one cookie jar."""

    def __init__(self, shop_url: str, guest: Guest) -> None:
        parts = urlsplit(shop_url)
        self._url = f"http://127.0.0.1:{parts.port}"  # not every machine knows that *.localhost is itself
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update({"Accept": "application/json", "Host": parts.netloc})
        self._guest = guest
        self.node = ""
        """Who answered last."""

    def enter(self) -> None:
        """Log in, and put something into the cart if the shop still knows who asks.

        Raises:
            requests.HTTPError: the shop does not let them in.
        """
        answer = self._ask("POST", "/login", {"user": self._guest.user, "password": self._guest.password})
        answer.raise_for_status()
        self._ask("POST", "/cart", {"sku": GOODS, "quantity": 1})

    def look(self) -> Known | None:
        """Open the cart: does the shop know them? None: it does not answer."""
        status = self._ask("GET", "/cart").status_code
        return "known" if status == requests.codes.ok else "stranger" if status == requests.codes.unauthorized else None

    def close(self) -> None:
        """Leave without a word."""
        self._session.close()

    def _ask(self, method: str, path: str, body: dict[str, str | int] | None = None) -> requests.Response:
        answer = self._session.request(method, self._url + path, json=body, timeout=ANSWER_WITHIN_S)
        self.node = answer.headers.get("X-Node", self.node)
        return answer
