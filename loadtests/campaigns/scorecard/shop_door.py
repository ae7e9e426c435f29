"""What the requirements ask of a shop: visitors with cookies of their own, an administrator, and time that passes."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
import requests

from compose.applications import SHIPPED, application_of
from compose.engines.cluster_file import read_cluster_file
from compose.engines.contract import Cluster
from loadtests.load.calls import request_for
from loadtests.load.contract import HttpRequest
from loadtests.load.cookies import NODE_COOKIES
from shared.demo_accounts import account_name, account_number

CellWord = Literal["pass", "fail", "not applicable"]


class Finding(msgspec.Struct, frozen=True):
    """What came of one requirement, on one architecture, in one state."""

    word: CellWord
    witness: str
    """What was asked and what came back, in a sentence."""


class DoorLifetimes(msgspec.Struct, frozen=True):
    """How long sessions live in the shop that is asked; short, since the requirements wait for their ends."""

    idle_s: int = 5
    absolute_s: int = 10
    access_s: float = 2.0


@dataclass
class DoorVisitor:
    """One browser: an account, and the cookies that it was given."""

    door: ShopDoor
    user: str
    cookies: dict[str, str] = field(default_factory=dict)

    def do(self, action: str, **words: str | int) -> tuple[int, dict[str, Any]]:
        """Status and document; 0 if nobody answered. Takes the cookies that come."""
        told = {"user": self.user, "password": self.door.password, **words}
        return self.door.ask(self, request_for(SHIPPED.interface, action, **told))

    def login(self) -> bool:
        """Whether it is logged in from now on."""
        return self.do("login")[0] == 200

    def me(self) -> int:
        """The status with which it is told who it is: 200 if the shop knows."""
        return self.do("me")[0]

    def copy(self) -> DoorVisitor:
        """Another browser with the same cookies."""
        return DoorVisitor(self.door, self.user, dict(self.cookies))

    @property
    def tokens(self) -> dict[str, str]:
        """Its cookies but for the balancer's."""
        return {name: value for name, value in self.cookies.items() if not self.door.is_balancers(name)}


class ShopDoor(ABC):
    """A shop, as far as the requirements see it."""

    password: str
    lifetimes = DoorLifetimes()

    def visitor(self, user: str) -> DoorVisitor:
        """Somebody new."""
        return DoorVisitor(self, user)

    @abstractmethod
    def bystander(self, user: str) -> DoorVisitor:
        """Somebody else than that user and everybody else's bystander."""

    @abstractmethod
    def ask(self, visitor: DoorVisitor, asked: HttpRequest) -> tuple[int, dict[str, Any]]:
        """Send one request with the visitor's cookies, and give it those that come back."""

    @abstractmethod
    def administer(self, user: str, what: Literal["end", "disable"]) -> str:
        """Tell every node that answers; what they said, in words."""

    @abstractmethod
    def is_balancers(self, cookie: str) -> bool:
        """A cookie of that name leads to a node and says nothing of a session."""

    @abstractmethod
    def wait(self, user: str, seconds: float) -> None:
        """Let time pass, for that account at least."""


# --- of a running cluster ---------------------------------------------------------------------------------------------


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
                cookies=visitor.cookies, timeout=ANSWERS_WITHIN_S,
                allow_redirects=False,  # asked for is this answer, and not the page that a redirect leads to
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
