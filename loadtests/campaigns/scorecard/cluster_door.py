"""The door of a running cluster: through its balancer, and for the administrator to each node."""

from __future__ import annotations

import time
from typing import Any, Literal

import msgspec
import requests

from compose.applications import application_of
from compose.engines.cluster_file import read_cluster_file
from compose.engines.contract import Cluster
from loadtests.campaigns.scorecard.shop_door import DoorVisitor, ShopDoor
from loadtests.load.contract import HttpRequest
from loadtests.load.cookies import NODE_COOKIES
from shared.demo_accounts import account_name, account_number

ANSWERS_WITHIN_S = 6.0


class ClusterDoor(ShopDoor):
    """Cookies are kept by name alone: everything is on one host."""

    def __init__(self, cluster: Cluster) -> None:
        self.password = cluster.spec.password
        self._cluster = cluster
        self._application = application_of(cluster.spec)
        self._token = read_cluster_file(cluster.folder).control_token

    def bystander(self, user: str) -> DoorVisitor:
        """From the second half of the accounts."""
        return self.visitor(account_name(account_number(user) + self._cluster.spec.accounts // 2))

    def ask(self, visitor: DoorVisitor, asked: HttpRequest) -> tuple[int, dict[str, Any]]:
        """One request, once; without redirects."""
        try:
            answer = requests.request(
                asked.method, f"{self._cluster.url}{asked.path}", data=asked.body, headers=asked.headers,
                cookies=visitor.cookies, timeout=ANSWERS_WITHIN_S, allow_redirects=False,
            )  # fmt: skip
        except requests.RequestException:
            return 0, {}
        visitor.cookies.update(answer.cookies.get_dict())
        try:
            told = msgspec.json.decode(answer.content)
        except msgspec.DecodeError:
            told = {}
        return answer.status_code, told if isinstance(told, dict) else {}

    def administer(self, user: str, what: Literal["end", "disable"]) -> str:
        """At each node: what is in its memory no other can end."""
        said = []
        for node in self._cluster.nodes():
            status = self._application.administer(node.url, self._token, user, what)
            said.append(f"{node.name}: {status or 'no answer'}")
        return ", ".join(said)

    def is_balancers(self, cookie: str) -> bool:
        """By the beginning of its name."""
        return cookie.startswith(NODE_COOKIES)

    def wait(self, user: str, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)
