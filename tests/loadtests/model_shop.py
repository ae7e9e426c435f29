"""A model of shop, balancer and shoppers: makes histories that are true by construction, with kills and lost answers.

It keeps its own account of what happened, in the plainest way, so that the judge's account can be compared with it.
"""

from __future__ import annotations

from random import Random

import msgspec

from compose.architectures import ARCHITECTURES
from compose.balancers.access_log import AccessLine
from loadtests.model.events import LoadEnded
from loadtests.model.history import Do, Exchange, Outcome, Record, StoredOrder, Why
from loadtests.model.plan import Action, ClientLimits, Plan, PlannedFault, ShopperPlan
from loadtests.session_model.expectations import ExpectedSession
from loadtests.session_model.timeline import RunTimeline
from shared.demo_accounts import account_name
from shared.request_log import LoggedRequest
from tests.loadtests.stories import fault

NODES = ("n1", "n2", "n3")
MODELLED = ("sticky-memory", "roundrobin-memory", "signed-token", "redis")
"""Architectures that this model knows how to play."""
SKUS = ("tea", "mug", "pen")
WRITES = ("login", "add", "remove", "checkout", "logout")
PATHS = {"login": "/login", "add": "/cart", "remove": "/cart/tea", "cart": "/cart", "checkout": "/checkout"}
WINDOW_MS = 10_000
KILL_US, BACK_US = 5_000_000, 8_000_000
EPOCH_US = 1_700_000_000_000_000


class Session(msgspec.Struct):
    """What a session holds, wherever it lives."""

    user: str
    cart: dict[str, int]


class Model:
    """Carries out a random plan on a model cluster. Everything it makes follows from the seed."""

    def __init__(
        self, seed: int, *, architecture: str = "sticky-memory", shoppers: int = 4, steps: int = 12,
        lost_answers: float = 0.15, kill: bool = True, leavers: bool = True,
    ) -> None:  # fmt: skip
        self.chance = Random(seed)
        self.about = ARCHITECTURES[architecture]
        self.lost_answers = lost_answers
        self.kill = kill
        self.records: list[Record] = []
        self.access: list[AccessLine] = []
        self.node_logs: dict[str, list[LoggedRequest]] = {node: [] for node in NODES}
        self.at_risk: tuple[str, ...] = ()
        self.logouts = 0
        """Times that a session was lost and its owner saw it."""
        self._sessions: dict[str, dict[int, Session]] = {node: {} for node in NODES}
        self._cookie: dict[int, str] = {}
        self._turn = 0
        self._killed = False
        self._numbers: dict[int, int] = {}
        self.plan = self._draw_plan(shoppers, steps, leavers)
        self._memories = {each.shopper: ExpectedSession(account_name(each.shopper)) for each in self.plan.shoppers}
        self._carry_out()

    @property
    def scene(self) -> RunTimeline:
        """What the events would have said."""
        killed = fault("n2", "kill", KILL_US, KILL_US + 20_000, BACK_US, BACK_US + 900_000, at_risk=self.at_risk)
        return RunTimeline(
            self.about.name, self.about, NODES, (killed,) if self.kill else (), epoch_us=EPOCH_US,
            ended=LoadEnded(self.about.name, 12_000_000, True, 1.0, len(self.records)),
        )  # fmt: skip

    def _draw_plan(self, shoppers: int, steps: int, leavers: bool) -> Plan:
        people = []
        for shopper in range(1, shoppers + 1):
            times = sorted(self.chance.sample(range(200, WINDOW_MS, 50), steps))  # one after the other
            actions = [Action(shopper, "login"), *(self._draw_action(at_ms, shopper) for at_ms in times)]
            if leavers and self.chance.random() < 0.2:
                actions[-1] = Action(times[-1], "logout")
            people.append(ShopperPlan(shopper, tuple(actions)))
        faults = (PlannedFault("kill", KILL_US // 1000, BACK_US // 1000, "n2"),) if self.kill else ()
        return Plan(1, "model", 1, 3, WINDOW_MS, ClientLimits(), faults, tuple(people))

    def _draw_action(self, at_ms: int, shopper: int) -> Action:
        do: Do = self.chance.choice(("add", "add", "add", "remove", "cart", "checkout", "me", "browse"))
        if do == "add":
            return Action(at_ms, do, self.chance.choice(SKUS), self.chance.randint(1, 3))
        if do == "remove":
            return Action(at_ms, do, self.chance.choice(SKUS))
        return Action(at_ms, do, key=f"{shopper}-{at_ms}") if do == "checkout" else Action(at_ms, do)

    def _carry_out(self) -> None:
        todo = sorted(
            (action.at_ms * 1000, each.shopper, step, action)
            for each in self.plan.shoppers
            for step, action in enumerate(each.actions)
        )
        for at_us, shopper, step, action in todo:
            self._kill_if_due(at_us)
            memory = self._memories[shopper]
            if not memory.logged_in and action.do not in ("login", "browse"):
                self._ask(at_us, shopper, "recovery", Action(0, "login"))
                if not memory.logged_in:
                    self._not_sent(at_us, shopper, step, action)
                    continue
            self._ask(at_us + 20_000, shopper, "plan", action, step)
        for each in self.plan.shoppers:
            self._ask(WINDOW_MS * 1000 + each.shopper * 1000, each.shopper, "audit", Action(0, "me"), faultless=True)
        exchanges = sorted((r for r in self.records if isinstance(r, Exchange)), key=lambda exchange: exchange.done_us)
        self.records = [*exchanges, *(record for record in self.records if isinstance(record, StoredOrder))]

    def _kill_if_due(self, at_us: int) -> None:
        if self.kill and not self._killed and at_us >= KILL_US:
            self._killed = True
            self.at_risk = tuple(sorted({held.user for held in self._sessions["n2"].values()}))
            if self.about.store == "memory":
                self._sessions["n2"].clear()
            else:
                self.at_risk = ()

    def _pick(self, shopper: int, at_us: int) -> str:
        up = [node for node in NODES if not (self.kill and node == "n2" and KILL_US <= at_us < BACK_US)]
        if self.about.affinity == "cookie" and self._cookie.get(shopper) in up:
            return self._cookie[shopper]
        self._turn += 1
        return up[self._turn % len(up)]

    def _ask(
        self, at_us: int, shopper: int, why: Why, action: Action, step: int = -1, *, faultless: bool = False
    ) -> None:
        number = self._numbers[shopper] = self._numbers.get(shopper, 0) + 1
        request = f"0a1b2c3da-{shopper:04d}-{number:04d}"
        node = self._pick(shopper, at_us)
        lost = "" if faultless else self._lost()
        shown = Exchange(
            self.about.name, shopper, request, why, action.do, "ok", action.at_ms * 1000 or at_us, at_us,
            at_us + 5_000, step, status=200, node=node, sku=action.sku, quantity=action.quantity, key=action.key,
        )  # fmt: skip
        if lost != "before":
            shown = self._serve(shown)
            self.node_logs[node].append(
                LoggedRequest(EPOCH_US + at_us, request, node, "b", "POST", "/", shown.status, 100, "")
            )
            if not lost:
                self._cookie[shopper] = node
        if lost:
            shown = self._unanswered(shown, timeout=lost == "timeout")
        outcome = _outcome(action.do, shown.status)
        shown = msgspec.structs.replace(shown, outcome=outcome)
        flags = "UC" if lost else ""
        self.access.append(
            AccessLine(
                EPOCH_US + at_us, shown.status or 499, 5_000, request, "POST" if action.do in WRITES else "GET",
                PATHS.get(action.do, "/"), flags, node, shown.node,
            )
        )  # fmt: skip
        self.records.append(shown)
        self.logouts += sum(finding.kind == "logged_out" for finding in self._memories[shopper].saw(shown))

    def _lost(self) -> str:
        """ "": the answer comes. before: nobody was reached. after, timeout: it happened, and the answer was lost."""
        if self.chance.random() >= self.lost_answers:
            return ""
        # a signed token travels in the answer: if that is lost, so is what it said, and "after" would be "before"
        return self.chance.choice(("before", "after", "timeout")) if self.about.store != "token" else "before"

    @staticmethod
    def _unanswered(exchange: Exchange, *, timeout: bool) -> Exchange:
        return msgspec.structs.replace(
            exchange, status=0 if timeout else 503, error="timeout" if timeout else "", node="", user="", cart=None,
            order="",
        )  # fmt: skip

    def _serve(self, asked: Exchange) -> Exchange:
        """What the shop's node does and answers."""
        home = self._sessions[asked.node] if self.about.store == "memory" else self._sessions["n1"]
        if asked.do == "login":
            home[asked.shopper] = Session(account_name(asked.shopper), {})
            return msgspec.structs.replace(asked, user=account_name(asked.shopper))
        if asked.do == "browse":
            return asked
        session = home.get(asked.shopper)
        if session is None:
            return msgspec.structs.replace(asked, status=401)
        cart, order = session.cart, ""
        if asked.do == "add":
            session.cart = {**cart, asked.sku: cart.get(asked.sku, 0) + asked.quantity}
        elif asked.do == "remove":
            session.cart = {sku: units for sku, units in cart.items() if sku != asked.sku}
        elif asked.do == "logout":
            del home[asked.shopper]
            return msgspec.structs.replace(asked, user=session.user)
        elif asked.do == "checkout":
            if not cart:
                return msgspec.structs.replace(asked, status=400)
            order = f"o-{asked.request}"
            self.records.append(StoredOrder(asked.architecture, order, session.user, asked.request, cart, asked.key))
            session.cart = {}
            return msgspec.structs.replace(asked, status=201, order=order)
        return msgspec.structs.replace(asked, cart=session.cart, user=session.user if asked.do == "me" else "")

    def _not_sent(self, at_us: int, shopper: int, step: int, action: Action) -> None:
        self.records.append(
            Exchange(self.about.name, shopper, "", "plan", action.do, "not_sent", action.at_ms * 1000, done_us=at_us,
                     step=step, error="not_logged_in", sku=action.sku, quantity=action.quantity, key=action.key)
        )  # fmt: skip


def _outcome(do: Do, status: int) -> Outcome:
    if 200 <= status < 300:
        return "ok"
    return "unknown" if do in WRITES and (status == 0 or status >= 500) else "failed"
