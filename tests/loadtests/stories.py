"""Small histories, told as stories: `Story().login("n2").add("tea", shows={"tea": 1}).cart({})`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal
from unittest import mock

import msgspec

from compose.architectures import ARCHITECTURES
from loadtests.checks import CHECKS, Check
from loadtests.judging import replay as module
from loadtests.judging.replay import HistoryReplay
from loadtests.model.events import LoadEnded
from loadtests.model.fault_timeline import FaultTimeline
from loadtests.model.history import Do, Exchange, Jar, Outcome, Record, StoredOrder, Why
from loadtests.model.results import Loss
from loadtests.session_model.carts import Cart, Contradiction
from loadtests.session_model.expectations import ExpectedSession
from loadtests.session_model.timeline import RunTimeline, assembled
from shared.demo_accounts import account_name

WRITES = ("login", "add", "remove", "checkout", "logout")
PREFIX = "0a1b2c3da"


class Story:
    """One shopper's exchanges, one after the other, 100 ms apart, each answered within 10 ms."""

    def __init__(self, shopper: int = 1, architecture: str = "sticky-memory") -> None:
        self.shopper = shopper
        self.architecture = architecture
        self.exchanges: list[Exchange] = []
        self.now_us = 0
        self._steps = 0

    def at(self, seconds: float) -> Story:
        """The next exchange is sent then."""
        self.now_us = round(seconds * 1_000_000)
        return self

    def say(
        self, do: Do, status: int = 200, *, node: str = "n1", why: Why = "plan", error: str = "", user: str = "",
        shows: Cart | None = None, sku: str = "", quantity: int = 0, key: str = "", order: str = "", jar: Jar = "main",
        took_ms: float = 10, dropped: bool = False, cookie_refused: bool = False,
        kept_from: int = 0, kept_session: bool = False,
    ) -> Story:  # fmt: skip
        """One exchange; its outcome follows from its status."""
        request = f"{PREFIX}-{self.shopper:04d}-{len(self.exchanges) + 1:04d}"
        exchange = Exchange(
            self.architecture, self.shopper, request, why, do, _outcome(do, status),
            planned_us=self.now_us, sent_us=self.now_us, done_us=self.now_us + round(took_ms * 1000),
            step=self._steps if why == "plan" else -1, status=status, error=error,
            node=node if 0 < status < 500 and not kept_from else "",
            sku=sku, quantity=quantity, key=key, user=user, cart=shows, order=order, jar=jar, dropped=dropped,
            cookie_refused=cookie_refused, kept_session=kept_session,
            kept_from=f"{PREFIX}-{kept_from:04d}-0001" if kept_from else "",
        )  # fmt: skip
        self._steps += why == "plan"
        self.exchanges.append(exchange)
        self.now_us += 100_000
        return self

    def login(self, node: str = "n1", status: int = 200, why: Why = "plan") -> Story:
        return self.say("login", status, node=node, why=why, user=account_name(self.shopper) if status == 200 else "")

    def probe(self, jar: Jar, do: Do = "me", status: int = 200, user: str = "", node: str = "n1") -> Story:
        """Somebody else's cookies, or those of another device; answered as the shopper unless said otherwise."""
        shown = (user or account_name(self.shopper)) if status == 200 and do == "me" else ""
        return self.say(do, status, node=node, user=shown, jar=jar)

    def logout(self, status: int = 200, node: str = "n1") -> Story:
        return self.say("logout", status, node=node)

    def browse(self, node: str = "n1") -> Story:
        return self.say("browse", node=node)

    def add(
        self, sku: str, quantity: int = 1, *, shows: Cart | None = None, status: int = 200, node: str = "n1"
    ) -> Story:
        return self.say("add", status, sku=sku, quantity=quantity, shows=shows, node=node)

    def remove(self, sku: str, *, shows: Cart | None = None, status: int = 200, node: str = "n1") -> Story:
        return self.say("remove", status, sku=sku, shows=shows, node=node)

    def cart(self, shows: Cart | None, status: int = 200, node: str = "n1") -> Story:
        return self.say("cart", status, shows=shows, node=node)

    def me(self, shows: Cart | None, user: str = "", node: str = "n1", why: Why = "plan") -> Story:
        return self.say("me", user=user or account_name(self.shopper), shows=shows, node=node, why=why)

    def audit(self, shows: Cart, node: str = "n1") -> Story:
        return self.me(shows, node=node, why="audit")

    def stranger(self, do: Do = "cart", node: str = "n1", why: Why = "plan") -> Story:
        return self.say(do, 401, node=node, why=why)

    def checkout(self, order: str = "", key: str = "", status: int = 201, node: str = "n1") -> Story:
        return self.say("checkout", status, order=order, key=key, node=node)

    @property
    def last(self) -> Exchange:
        return self.exchanges[-1]


def stored(
    order: str,
    lines: Cart,
    *,
    request: str,
    user: str = "user-0001",
    key: str = "",
    architecture: str = "sticky-memory",
) -> StoredOrder:
    """An order as the database holds it."""
    return StoredOrder(architecture, order, user, request, lines, key)


def fault(
    victim: str, kind: str, injected_us: int | None, observed_us: int | None = None, healed_us: int | None = None,
    observed_healed_us: int | None = None, number: int = 0, **others: Any,
) -> FaultTimeline:  # fmt: skip
    """A fault of a plan, as it went."""
    times = {"injected_us": injected_us, "observed_us": observed_us, "healed_us": healed_us}
    told = {"planned_us": injected_us or 0, "evidence": ("gone",), **others}
    return assembled(FaultTimeline(number, kind, victim, observed_healed_us=observed_healed_us, **times, **told))


def retold(at: RunTimeline, **changes: Any) -> RunTimeline:
    """The same, with its first fault changed."""
    first, *others = at.faults
    return msgspec.structs.replace(at, faults=(assembled(msgspec.structs.replace(first, **changes)), *others))


def scene(
    *killed: tuple[str, float], architecture: str = "sticky-memory", observed: bool = True, finished: bool = True
) -> RunTimeline:
    """A scene in which these nodes were killed at these seconds."""
    faults = tuple(
        fault(node, "kill", round(at * 1e6), round(at * 1e6) + 20_000 if observed else None, number=number)
        for number, (node, at) in enumerate(killed)
    )
    ended = LoadEnded(architecture, 12_000_000, True, 1.0, 100) if finished else None
    about = ARCHITECTURES.get(architecture)
    return RunTimeline(architecture, about, ("n1", "n2", "n3"), faults, epoch_us=0, ended=ended)


def replayed(records: Iterable[Record], at: RunTimeline, checks: Mapping[str, type[Check]] = CHECKS) -> HistoryReplay:
    """The replay of these records, closed; by these checks alone."""
    with mock.patch.object(module, "CHECKS", checks):
        replay = HistoryReplay(at)
    for record in records:
        if isinstance(record, Exchange):
            replay.add(record)
        else:
            replay.add_order(record)
    replay.close()
    assert not replay.crashed
    return replay


def losses(records: Iterable[Record], at: RunTimeline) -> tuple[Loss, ...]:
    """What all checks find."""
    return replayed(records, at).losses()


def findings(story: Story) -> list[Contradiction]:
    """What the shopper's memory finds."""
    memory = ExpectedSession(account_name(story.shopper))
    return [finding for exchange in story.exchanges for finding in memory.saw(exchange)]


def _outcome(do: Do, status: int) -> Outcome:
    if 200 <= status < 300:
        return "ok"
    unsure: Literal["unknown", "failed"] = "unknown" if status == 0 or status >= 500 else "failed"
    return unsure if do in WRITES else "failed"


def after(story: Story) -> ExpectedSession:
    """What a shopper may expect at its end."""
    memory = ExpectedSession("user-0001")
    for exchange in story.exchanges:
        memory.saw(exchange)
    return memory


def settled(story: Story) -> dict[str, str]:
    """What became of each unknown write, by the end of its request id."""
    return {request[-4:]: outcome for request, outcome in after(story).settled.items()}
