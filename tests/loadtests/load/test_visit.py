from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Never
from unittest.mock import Mock

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.load.answers import ShopAnswer
from loadtests.load.visit import ShopperVisit
from loadtests.load.worker_config import VisitConfig
from loadtests.model.history import Exchange, Jar
from loadtests.model.plan import Action, ClientLimits
from loadtests.model.scenario import Load, Scenario
from loadtests.planning.make_plan import make_plan
from loadtests.session_model.carts import Contradiction
from shared.errors import ForeignAnswer
from tests.loadtests.load.shop_client import SHOP, shop_client

RUN = "0123abcd"
TERMS = VisitConfig("redis", RUN, f"{RUN}a", ClientLimits(), SHOP.http)
SHOPPING = (
    Action(10, "login"),
    Action(20, "browse"),
    Action(30, "add", "bell", 2),
    Action(40, "cart"),
    Action(50, "remove", "bell"),
    Action(60, "me"),
)


class Stopped(BaseException):
    """What Locust does to a shopper's greenlet."""


class PaperClock:
    """Time passes only by waiting and by being served."""

    zero_ns = 5_000_000_000
    end_us = 1 << 62

    def __init__(self) -> None:
        self.us = 0

    def now_us(self) -> int:
        return self.us

    def wait_until(self, at_us: int) -> None:
        self.us = max(self.us, at_us)

    def reach(self, at_us: int) -> bool:
        self.wait_until(at_us)
        return True


class PaperShop:
    """A shop with one till and one customer; `fates` says what goes wrong with the next requests, in order."""

    def __init__(self, clock: PaperClock, fates: Iterator[str]) -> None:
        self.clock = clock
        self.fates = fates
        self.user = ""
        self.cart: dict[str, int] = {}
        self.orders: list[dict[str, str]] = []
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes, jar: Jar = "main") -> ShopAnswer:
        assert jar == "main"
        self.asked.append((method, path, headers, body))
        word, _, detail = next(self.fates, "").partition(" ")
        sent_ns = self.clock.zero_ns + self.clock.us * 1000
        self.clock.us += int(detail or 1) * 1000
        done_ns = self.clock.zero_ns + self.clock.us * 1000
        if word == "stop":
            raise Stopped
        if word == "refused":
            return ShopAnswer(sent_ns, done_ns, error="refused", sent=False)
        if word == "forget":
            self.user, self.cart = "", {}
        if word != "lost":
            status, shown = self.serve(method, path, body)
        if word in ("lost", "mute"):
            return ShopAnswer(sent_ns, done_ns, error="timeout")
        if word == "broken":
            status, shown = 503, {}
        run = "ffffffff" if word == "foreign" else RUN
        content = b"<html>" if word == "unreadable" else json.dumps(shown).encode()
        return ShopAnswer(sent_ns, done_ns, status, headers={"X-Run": run, "X-Node": "n2"}, body=content)

    def watch(self, path: str, headers: dict[str, str], until_ns: int) -> ShopAnswer:
        raise NotImplementedError

    def pocket(self, jar: Jar) -> Mock:
        assert jar in ("main", "stolen"), "whoever logs out could be copied"
        return Mock(spec_set=["fill_from"])

    def serve(self, method: str, path: str, body: bytes) -> tuple[int, object]:
        sent = json.loads(body or b"{}")
        if path == "/login":
            self.user, self.cart = sent["user"], {}
            return 200, {"user": self.user}
        if path == "/products":
            return 200, {"products": []}
        if not self.user:
            return 401, {"error": "not_logged_in"}
        if path == "/logout":
            self.user = ""
            return 200, {}
        if path == "/me":
            return 200, {"user": self.user, "cart": self.cart}
        if path == "/orders":
            return 200, {"orders": self.orders}
        if path == "/checkout":
            self.orders.append({"order": f"o{len(self.orders)}"})
            self.cart = {}
            return 201, self.orders[-1]
        if method == "POST":
            self.cart = {**self.cart, sent["sku"]: self.cart.get(sent["sku"], 0) + sent["quantity"]}
        elif method == "DELETE":
            self.cart = {sku: units for sku, units in self.cart.items() if sku != path.removeprefix("/cart/")}
        return 200, {"cart": self.cart}


def nothing_at_once(do: Callable[[], object]) -> Never:
    raise NotImplementedError


class Day:
    """One visit to a paper shop, and what was recorded of it."""

    def __init__(self, actions: tuple[Action, ...], *fates: str, limits: ClientLimits = TERMS.limits) -> None:
        self.clock = PaperClock()
        self.shop = PaperShop(self.clock, iter(fates))
        self.exchanges: list[Exchange] = []
        self.findings: list[Contradiction] = []
        terms = msgspec.structs.replace(TERMS, limits=limits)
        self.visit = ShopperVisit(7, actions, terms, self.shop, self.clock, self.saw, nothing_at_once, shop_client(7))

    def saw(self, exchange: Exchange, answer: ShopAnswer | None, findings: tuple[Contradiction, ...]) -> None:
        assert (answer is None) == (exchange.outcome == "not_sent")
        self.exchanges.append(exchange)
        self.findings += findings

    def words(self, *fields: str) -> list[tuple[object, ...]]:
        return [tuple(getattr(exchange, field) for field in fields) for exchange in self.exchanges]


def test_a_calm_day() -> None:
    day = Day(SHOPPING)
    day.visit.shop()
    day.visit.audit(1_000_000)
    assert not day.findings
    assert day.words("why", "do", "outcome") == [
        *(("plan", action.do, "ok") for action in SHOPPING),
        ("audit", "me", "ok"),
        ("audit", "orders", "ok"),
    ]
    assert [exchange.step for exchange in day.exchanges] == [0, 1, 2, 3, 4, 5, -1, -1]
    assert [exchange.request for exchange in day.exchanges][:2] == [f"{RUN}a-0007-0001", f"{RUN}a-0007-0002"]
    assert day.exchanges[2] == Exchange(
        "redis", 7, f"{RUN}a-0007-0003", "plan", "add", "ok", planned_us=30_000, sent_us=30_000, done_us=31_000,
        step=2, body_bytes=21, status=200, node="n2", sku="bell", quantity=2, cart={"bell": 2},
    )  # fmt: skip
    assert day.exchanges[0].user == "user-0007"


def test_requests_are_those_of_the_shops_interface() -> None:
    day = Day((*SHOPPING, Action(70, "add", "bell", 1), Action(80, "checkout", key="k-1"), Action(90, "logout")))
    day.visit.shop()
    asked = [(method, path, json.loads(body) if body else None) for method, path, _, body in day.shop.asked]
    assert asked == [
        ("POST", "/login", {"user": "user-0007", "password": "secret"}),
        ("GET", "/products", None),
        ("POST", "/cart", {"sku": "bell", "quantity": 2}),
        ("GET", "/cart", None),
        ("DELETE", "/cart/bell", None),
        ("GET", "/me", None),
        ("POST", "/cart", {"sku": "bell", "quantity": 1}),
        ("POST", "/checkout", {}),
        ("POST", "/logout", {}),
    ]
    assert all(headers["Accept"] == "application/json" for _, _, headers, _ in day.shop.asked)
    assert all(("Content-Type" in headers) == (method != "GET") for method, _, headers, _ in day.shop.asked)
    assert day.shop.asked[7][2]["Idempotency-Key"] == "k-1"
    assert day.exchanges[7].order == "o0"


def test_an_involuntary_logout_is_found_and_the_shopper_logs_in_again_and_shops_on() -> None:
    day = Day(SHOPPING, "", "", "", "forget")
    day.visit.shop()
    assert [finding.kind for finding in day.findings] == ["logged_out"]
    assert day.words("why", "do", "outcome", "status")[3:6] == [
        ("plan", "cart", "failed", 401),
        ("recovery", "login", "ok", 200),
        ("plan", "remove", "ok", 200),
    ]


def test_each_following_action_tries_to_log_in_once_while_that_fails() -> None:
    day = Day(SHOPPING, "", "", "", "forget", "broken", "broken", "broken")
    day.visit.shop()
    assert day.words("why", "do", "outcome", "error")[3:] == [
        ("plan", "cart", "failed", ""),
        ("recovery", "login", "unknown", ""),
        ("recovery", "login", "unknown", ""),
        ("plan", "remove", "not_sent", "not_logged_in"),
        ("recovery", "login", "unknown", ""),
        ("plan", "me", "not_sent", "not_logged_in"),
    ]


def test_a_failed_login_does_not_keep_anybody_from_browsing() -> None:
    day = Day(SHOPPING[:3], "refused")
    day.visit.shop()
    assert day.words("why", "do", "outcome") == [
        ("plan", "login", "failed"),
        ("plan", "browse", "ok"),
        ("recovery", "login", "ok"),
        ("plan", "add", "ok"),
    ]


@pytest.mark.parametrize(
    ("fate", "reads", "writes"),
    [
        ("broken", ("failed", 503, ""), ("unknown", 503, "")),
        ("lost", ("failed", 0, "timeout"), ("unknown", 0, "timeout")),
        ("mute", ("failed", 0, "timeout"), ("unknown", 0, "timeout")),
        ("refused", ("failed", 0, "refused"), ("failed", 0, "refused")),
        ("unreadable", ("failed", 200, "unreadable"), ("unknown", 200, "unreadable")),
    ],
)
def test_what_may_have_happened_is_unknown_and_what_did_not_is_failed(
    fate: str, reads: tuple[object, ...], writes: tuple[object, ...]
) -> None:
    day = Day(SHOPPING, "", "", fate, fate)
    day.visit.shop()
    assert day.words("outcome", "status", "error")[2:4] == [writes, reads]
    assert not day.findings


def test_an_action_is_sent_as_soon_as_the_one_before_is_answered_or_not_at_all() -> None:
    day = Day(SHOPPING, "", "mute 1000", "mute 2000")
    day.visit.shop()
    assert day.words("do", "outcome", "sent_us", "error") == [
        ("login", "ok", 10_000, ""),
        ("browse", "failed", 20_000, "timeout"),
        ("add", "unknown", 1_020_000, "timeout"),
        ("cart", "not_sent", -1, "late"),
        ("remove", "not_sent", -1, "late"),
        ("me", "not_sent", -1, "late"),
    ]


def test_an_audit_tries_again_while_nobody_answers_and_stops_at_its_limit() -> None:
    limits = ClientLimits(audit_tries=3, audit_pause_ms=300)
    day = Day(SHOPPING[:1], "", "broken", "broken", limits=limits)
    day.visit.shop()
    day.visit.audit(2_000_000)
    assert day.words("do", "outcome", "planned_us")[1:] == [
        ("me", "failed", 2_000_000),
        ("me", "failed", 2_301_000),
        ("me", "ok", 2_602_000),
        ("orders", "ok", 2_603_000),
    ]
    day = Day(SHOPPING[:1], *[""], *["broken"] * 20, limits=limits)
    day.visit.shop()
    day.visit.audit(2_000_000)
    assert [do for _, do in day.words("why", "do")] == ["login", "me", "me", "me", "orders", "orders", "orders"]


def test_a_stranger_at_the_audit_is_a_loss_and_does_not_log_in_again() -> None:
    day = Day(SHOPPING[:2], "", "", "forget")
    day.visit.shop()
    day.visit.audit(1_000_000)
    assert [finding.kind for finding in day.findings] == ["logged_out"]
    assert day.words("why", "do", "status")[2:] == [("audit", "me", 401)]


def test_who_has_left_is_expected_to_be_a_stranger() -> None:
    day = Day((*SHOPPING, Action(70, "logout")))
    day.visit.shop()
    day.visit.audit(1_000_000)
    assert not day.findings
    assert day.words("why", "do", "status")[-1] == ("audit", "me", 401)


def test_an_answer_of_another_run_ends_the_visit() -> None:
    day = Day(SHOPPING, "", "foreign")
    with pytest.raises(ForeignAnswer, match="of run ffffffff"):
        day.visit.shop()
    assert day.words("step", "outcome", "error")[2:] == [(step, "not_sent", "stopped") for step in range(2, 6)]


fates = st.sampled_from(["", "", "", "broken", "lost", "mute", "refused", "forget", "unreadable", "lost 900", "stop"])


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 1000), st.lists(fates, max_size=40))
def test_every_planned_action_is_in_the_history_exactly_once_whatever_happens(seed: int, told: list[str]) -> None:
    scenario = Scenario("Why?", "test", Load(shoppers=1, seconds=6, think_ms=200, leavers=0.5))
    actions = make_plan(scenario, seed=seed).shoppers[0].actions
    day = Day(actions, *told)
    ran_to_the_end = _until_stopped(day.visit.shop)
    if ran_to_the_end:
        _until_stopped(lambda: day.visit.audit(6_000_000))
    planned = [exchange for exchange in day.exchanges if exchange.why == "plan"]
    assert [exchange.step for exchange in planned] == list(range(len(actions)))
    assert [(exchange.do, exchange.sku, exchange.key) for exchange in planned] == [
        (action.do, action.sku, action.key) for action in actions
    ]
    assert sum(exchange.sent_us >= 0 for exchange in day.exchanges) == len(day.shop.asked)
    requests = [exchange.request for exchange in day.exchanges if exchange.outcome != "not_sent"]
    assert len(requests) == len(set(requests)) == len(day.shop.asked)
    done = [exchange.done_us for exchange in day.exchanges]
    assert done == sorted(done)
    assert all(before.done_us <= after.sent_us for before, after in itertools.pairwise(day.exchanges) if after.request)
    if "forget" not in told:
        assert not day.findings


def _until_stopped(do: Callable[[], None]) -> bool:
    try:
        do()
    except Stopped:
        return False
    return True
