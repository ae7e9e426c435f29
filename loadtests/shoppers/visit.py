"""One shopper's visit: carries out a plan in time, remembers what the shop acknowledged, and records every action once.

Knows nothing of Locust: it is given a way to ask, a clock and a desk to hand its records to.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import msgspec

from loadtests.history import NOT_LOGGED_IN, UNREADABLE, Do, Exchange, Why
from loadtests.judging.memory import Finding, Memory
from loadtests.plan import Action, ClientLimits
from loadtests.shoppers.answers import NOTHING, WRITES, Answer, foreign, outcome_of, read_answer
from shared.demo_accounts import account_name
from shared.errors import ForeignAnswer

NEEDS_NO_LOGIN: frozenset[Do] = frozenset({"browse", "login"})
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
}
"""Method and path of each action; the sku follows that of a removal."""
_JSON = "application/json"


class Ask(Protocol):
    """Sends one request, once."""

    def __call__(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """The answer, or why there is none; raises nothing of the network's."""


class Clock(Protocol):
    """Microseconds since the zero of the load window."""

    zero_ns: int
    """The zero, time.monotonic_ns()."""

    def now_us(self) -> int:
        """Now."""

    def wait_until(self, at_us: int) -> None:
        """Sleep until then; not at all if it is past."""


class Desk(Protocol):
    """Where a visit's records go."""

    def saw(self, exchange: Exchange, answer: Answer | None, findings: tuple[Finding, ...]) -> None:
        """Take one exchange; no answer if nothing was sent."""


class Terms(msgspec.Struct, frozen=True):
    """What is the same for all visits to one shop."""

    architecture: str
    run: str
    """Every answer must carry it; empty: not looked at."""
    prefix: str
    """Of request ids."""
    password: str
    limits: ClientLimits


class Visit:
    """One shopper in one shop, from its login to the last audit."""

    def __init__(
        self, shopper: int, actions: Iterable[Action], terms: Terms, ask: Ask, clock: Clock, desk: Desk, user: str = ""
    ) -> None:
        self.shopper = shopper
        self.memory = Memory(user or account_name(shopper))
        self._actions = actions
        self._terms = terms
        self._ask = ask
        self._clock = clock
        self._desk = desk
        self._requests = 0
        self._steps = 0
        """Planned actions that are in the history."""
        self._login_body = msgspec.json.encode({"user": self.memory.user, "password": terms.password})

    def shop(self) -> None:
        """Carry out the plan. Whatever ends it early, the rest of a finite plan is recorded as not sent.

        Raises:
            ForeignAnswer: somebody else's server answered.
        """
        try:
            for action in self._actions:
                self._clock.wait_until(action.at_ms * 1000)
                self._carry_out(action)
        except BaseException:
            if isinstance(self._actions, tuple):
                for action in self._actions[self._steps :]:
                    self._not_sent(action, "stopped")
            raise

    def audit(self, due_us: int) -> None:
        """The last look: who am I, and what have I ordered? A stranger is not logged in again.

        Raises:
            ForeignAnswer: somebody else's server answered.
        """
        self._clock.wait_until(due_us)
        self._look("me", due_us)
        if self.memory.logged_in:
            self._look("orders", self._clock.now_us())

    def _carry_out(self, action: Action) -> None:
        if why_not := self._why_not(action):
            self._not_sent(action, why_not)
            return
        was_known = self._known()
        exchange = self._exchange(action, "plan", action.at_ms * 1000, self._steps)
        if was_known and not self._known() and action.do != "logout":
            self._log_in_again(exchange.done_us)

    def _why_not(self, action: Action) -> str:
        """Why this action is not sent; "" if it is. A shopper who is not logged in tries once to be."""
        if not self._late(action) and not self._known() and action.do not in NEEDS_NO_LOGIN:
            self._log_in_again(action.at_ms * 1000)
            if not self._known():
                return NOT_LOGGED_IN
        return "late" if self._late(action) else ""

    def _known(self) -> bool:
        return self.memory.logged_in

    def _late(self, action: Action) -> bool:
        return self._clock.now_us() > (action.at_ms + self._terms.limits.late_ms) * 1000

    def _log_in_again(self, due_us: int) -> None:
        self._exchange(Action(0, "login"), "recovery", due_us)

    def _look(self, do: Do, due_us: int) -> None:
        limits = self._terms.limits
        for _ in range(limits.audit_tries):
            exchange = self._exchange(Action(0, do), "audit", due_us)
            if exchange.status and exchange.status < 500:
                return
            due_us = exchange.done_us + limits.audit_pause_ms * 1000
            self._clock.wait_until(due_us)

    def _exchange(self, action: Action, why: Why, planned_us: int, step: int = -1) -> Exchange:
        """Send one request and record it, whatever comes of it."""
        self._requests += 1
        request = f"{self._terms.prefix}-{self.shopper:04d}-{self._requests:04d}"
        method, path, headers, body = self._request(action, request)
        sent_us = self._clock.now_us()
        try:
            answer = self._ask(method, path, headers, body)
        except BaseException:  # stopped in the middle: the request is out, its answer will never be read
            zero_ns = self._clock.zero_ns
            answer = Answer(zero_ns + sent_us * 1000, zero_ns + self._clock.now_us() * 1000, error="stopped")
            self._record(action, why, planned_us, step, request, answer)
            raise
        exchange = self._record(action, why, planned_us, step, request, answer)
        if stranger := foreign(answer, self._terms.run):
            raise ForeignAnswer(
                f"{method} {path}: {stranger}",
                why="another server listens on the shop's address",
                next_step="stop it, and run again",
            )
        return exchange

    def _record(self, action: Action, why: Why, planned_us: int, step: int, request: str, answer: Answer) -> Exchange:
        do, zero_ns = action.do, self._clock.zero_ns
        outcome = outcome_of(do, answer)
        error = answer.error
        shown = NOTHING if do == "browse" else read_answer(answer)
        if shown is None:
            shown, error = NOTHING, UNREADABLE
            outcome = "unknown" if do in WRITES else "failed"
        exchange = Exchange(
            architecture=self._terms.architecture,
            shopper=self.shopper,
            request=request,
            why=why,
            do=do,
            outcome=outcome,
            planned_us=planned_us,
            sent_us=(answer.sent_ns - zero_ns) // 1000,
            done_us=(answer.done_ns - zero_ns) // 1000,
            step=step,
            status=answer.status,
            error=error,
            node=answer.header("X-Node"),
            sku=action.sku,
            quantity=action.quantity,
            key=action.key,
            user=shown.user,
            cart=shown.cart,
            order=shown.order,
            orders=None if shown.orders is None else tuple(order.order for order in shown.orders),
        )
        self._hand_over(exchange, answer)
        return exchange

    def _not_sent(self, action: Action, error: str) -> None:
        self._hand_over(
            Exchange(
                architecture=self._terms.architecture,
                shopper=self.shopper,
                request="",
                why="plan",
                do=action.do,
                outcome="not_sent",
                planned_us=action.at_ms * 1000,
                done_us=self._clock.now_us(),
                step=self._steps,
                error=error,
                sku=action.sku,
                quantity=action.quantity,
                key=action.key,
            ),
            None,
        )

    def _hand_over(self, exchange: Exchange, answer: Answer | None) -> None:
        if exchange.step >= 0:
            self._steps += 1
        findings = self.memory.saw(exchange) if exchange.outcome != "not_sent" else ()
        self._desk.saw(exchange, answer, findings)

    def _request(self, action: Action, request: str) -> tuple[str, str, dict[str, str], bytes]:
        method, path = PATHS[action.do]
        headers = {"Accept": _JSON, "X-Request-Id": request}
        if method == "GET":
            return method, path, headers, b""
        headers["Content-Type"] = _JSON
        if action.do == "remove":
            return method, path + action.sku, headers, b""
        if action.do == "add":
            return method, path, headers, msgspec.json.encode({"sku": action.sku, "quantity": action.quantity})
        if action.do == "login":
            return method, path, headers, self._login_body
        if action.do == "checkout":
            headers["Idempotency-Key"] = action.key
        return method, path, headers, b"{}"
