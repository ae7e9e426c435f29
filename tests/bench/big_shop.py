"""The cluster behind `tests.bench.big_run`: it carries out a plan and writes down what all three logs would say."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from operator import itemgetter
from random import Random
from typing import Any

from compose.architectures import ARCHITECTURES
from loadtests.model.history import Exchange, Outcome, StoredOrder, Why
from loadtests.model.plan import Action, Plan, ShopperPlan
from shared.request_log import LoggedRequest, LoggedSession, LogRecord

NODES = ("n1", "n2", "n3")
LOGIN_MS = 1500
"""Within that, everybody logs in."""
SEEN_AFTER_US, EJECTED_AFTER_US = 20_000, 1_000_000
"""After the kill: it is observed, and the balancer no longer trusts the node."""
EPOCH_US = 1_700_000_000_000_000
WRITES = ("login", "add", "remove", "checkout")
PATHS = {
    "login": "/login",
    "browse": "/products",
    "add": "/cart",
    "cart": "/cart",
    "checkout": "/checkout",
    "me": "/me",
}
METHODS = {"login": "POST", "add": "POST", "checkout": "POST", "remove": "DELETE"}
BYTES = {"login": 20, "browse": 1652, "add": 40, "remove": 40, "cart": 40, "checkout": 27, "me": 75}


def account(shopper: int) -> str:
    """Its user name."""
    return f"user-{shopper:04d}"


def _steps(person: ShopperPlan) -> Iterator[tuple[int, int, int, Action]]:
    return ((action.at_ms * 1000, person.shopper, step, action) for step, action in enumerate(person.actions))


class BigShop:
    """One architecture; nobody overlaps, so that one dict for each shopper is all that a session is."""

    def __init__(self, plan: Plan, name: str, *, prefix: str, chance: Random) -> None:
        self.about = ARCHITECTURES[name]
        self.access: list[dict[str, Any]] = []
        self.logged: dict[str, list[LogRecord]] = {node: [] for node in NODES}
        """By node; whoever writes it down clears it, as `access`."""
        self.orders: list[StoredOrder] = []
        self.held: tuple[int, ...] = ()
        """Whose sessions n2 held when it was killed."""
        self.told = 0
        self._plan = plan
        self.killed_us, self.back_us = 1000 * plan.faults[0].at_ms, 1000 * plan.faults[0].heal_at_ms
        self._prefix = prefix
        self._chance = chance
        self._home: dict[int, str] = {}
        self._carts: dict[int, dict[str, int]] = {}
        """Of those who are logged in."""
        self._numbers = dict.fromkeys((person.shopper for person in plan.shoppers), 0)
        self._waiting: list[tuple[int, str, Exchange]] = []
        """Answers, by the time at which they are complete."""

    def history(self) -> Iterator[Exchange]:
        """All exchanges, in order of `done_us`; the logs grow along with them."""
        killed = False
        for at_us, shopper, step, action in self._due():
            if not killed and at_us >= self.killed_us:
                killed = True
                self._kill()
            yield from self._answered(before_us=at_us)
            if self._ask(at_us, shopper, "plan", action, step).status == 401:
                self._ask(at_us + 30_000, shopper, "recovery", Action(0, "login"))
        end_us = max(self._plan.window_ms * 1000, at_us + 60_000)
        for number, person in enumerate(self._plan.shoppers):
            self._ask(end_us + number * 8000, person.shopper, "audit", Action(0, "me"))
        yield from self._answered(before_us=1 << 62)

    def _due(self) -> Iterator[tuple[int, int, int, Action]]:
        """All planned actions in order of time; only one of each shopper is looked at, so that they need no room."""
        return heapq.merge(*map(_steps, self._plan.shoppers), key=itemgetter(0, 1))

    def _answered(self, *, before_us: int) -> Iterator[Exchange]:
        while self._waiting and self._waiting[0][0] < before_us:
            self.told += 1
            exchange = heapq.heappop(self._waiting)[2]
            self._log(exchange)
            yield exchange

    def _kill(self) -> None:
        if self.about.store == "memory":
            self.held = tuple(shopper for shopper, node in self._home.items() if node == "n2")
            for shopper in self.held:
                self._carts.pop(shopper, None)

    def _pick(self, shopper: int, at_us: int) -> str:
        """The balancer's choice; "" while it still trusts the dead node."""
        node = self._home.get(shopper, "") if self.about.affinity == "cookie" else ""
        away = self.killed_us + EJECTED_AFTER_US <= at_us < self.back_us
        if not node or (node == "n2" and away):
            node = self._chance.choice(("n1", "n3") if away else NODES)
        if node == "n2" and self.killed_us <= at_us < self.back_us:
            return ""
        self._home[shopper] = node
        return node

    def _ask(self, at_us: int, shopper: int, why: Why, action: Action, step: int = -1) -> Exchange:
        number = self._numbers[shopper] = self._numbers[shopper] + 1
        request, do = f"{self._prefix}-{shopper:04d}-{number:04d}", action.do
        node = self._pick(shopper, at_us)
        sent_us = at_us + 100 + int(900 * self._chance.random())
        done_us = sent_us + 1500 + int(16_000 * self._chance.random() ** 4)
        status, shown = self._served(shopper, action, request) if node else (503, {})
        outcome: Outcome = "ok" if status < 300 else "failed"
        if status == 503 and do in WRITES:
            outcome = "unknown"
        exchange = Exchange(
            self.about.name, shopper, request, why, do, outcome, at_us, sent_us, done_us, step,
            cookie_bytes=140 if number > 1 else 0, body_bytes=BYTES[do] if status < 300 else 50, status=status,
            node=node, sku=action.sku, quantity=action.quantity, key=action.key, **shown,
        )  # fmt: skip
        heapq.heappush(self._waiting, (done_us, request, exchange))
        return exchange

    def _served(self, shopper: int, action: Action, request: str) -> tuple[int, dict[str, Any]]:
        """What the shop does: the status, and what the answer shows."""
        do = action.do
        if do == "browse":
            return 200, {}
        if do == "login":
            self._carts[shopper] = {}
            return 200, {"user": account(shopper)}
        cart = self._carts.get(shopper)
        if cart is None:
            return 401, {}
        if do == "checkout":
            if not cart:
                return 400, {}
            order = f"o-{request}"
            self.orders.append(StoredOrder(self.about.name, order, account(shopper), request, cart, action.key))
            self._carts[shopper] = {}
            return 201, {"order": order}
        if do == "add":
            cart = self._carts[shopper] = {**cart, action.sku: cart.get(action.sku, 0) + action.quantity}
        elif do == "remove":
            cart = self._carts[shopper] = {sku: units for sku, units in cart.items() if sku != action.sku}
        return 200, {"cart": cart, "user": account(shopper)} if do == "me" else {"cart": cart}

    def _log(self, exchange: Exchange) -> None:
        """The balancer's line and the node's record of it."""
        at_us, done_us = EPOCH_US + exchange.sent_us, EPOCH_US + exchange.done_us - 400
        do, node, request = exchange.do, exchange.node, exchange.request
        method = METHODS.get(do, "GET")
        path = f"/cart/{exchange.sku}" if do == "remove" else PATHS[do]
        self.access.append({
            "answered_by": node or None, "at_us": str(at_us), "details": "via_upstream" if node else "upstream_reset",
            "flags": "-" if node else "UF", "id": request, "method": method, "node": node or "n2", "path": path,
            "status": exchange.status, "took_us": done_us - at_us,
        })  # fmt: skip
        if not node:
            return
        user = "" if do == "login" or exchange.status == 401 else account(exchange.shopper)
        boot = "cd7966be9306" if done_us < EPOCH_US + self.back_us else "5d7c625c5992"
        self.logged[node].append(
            LoggedRequest(at_us + 300, request, node, boot, method, path, exchange.status, done_us - at_us - 400, user)
        )
        if do == "login":
            self.logged[node].append(
                LoggedSession(done_us, "opened", request, node, boot, account(exchange.shopper), "9")
            )
