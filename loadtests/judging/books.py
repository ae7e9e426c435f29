"""The books of one architecture: actions, users, items. Each must balance exactly, or the run fails as a run.

The left sides are counted apart from the right sides: planned actions come from the plan, users from the plan,
acknowledged units from the single exchanges; the rest comes from the shoppers' memories and the losses.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import asdict

import msgspec

from loadtests.judging.replay import HistoryReplay
from loadtests.model.history import NOT_ASKED, UNREADABLE, Do, Exchange, Jar, Outcome, StoredOrder
from loadtests.model.plan import Action, ShopperPlan
from loadtests.model.results import ActionBook, ItemBook, LogoutCounts, UserBook
from loadtests.session_model.carts import Items
from loadtests.session_model.shopper_trace import AcknowledgedOrder
from shared.plurals import counted

What = tuple[Do, str, int, Jar]
"""What is done, of which article, how many, and with whose cookies."""
_DONE = 1 << 31
"""Stands in a step's number once the history has told of it."""


class Steps:
    """What each shopper is to do, step by step, and whether it stands in the history.

    Packed: four bytes a step where the plan needs a hundred, so that a plan of millions has room.
    """

    def __init__(self, people: Iterable[ShopperPlan]) -> None:
        self._kinds: dict[What, int] = {}
        self._by_shopper = {person.shopper: array("I", map(self._kind, person.actions)) for person in people}
        self._what: tuple[What, ...] = tuple(self._kinds)
        self.planned = sum(map(len, self._by_shopper.values()))
        """How many steps there are in all."""

    @property
    def shoppers(self) -> frozenset[int]:
        """Who is to shop."""
        return frozenset(self._by_shopper)

    def afresh(self) -> Steps:
        """The same steps, with nothing ticked off."""
        other = copy(self)  # which shares the kinds; the rows carry the marks, so each architecture has its own
        other._by_shopper = {shopper: row[:] for shopper, row in self._by_shopper.items()}
        return other

    def tick_off(self, exchange: Exchange) -> Sequence[str]:
        """Tick off the step that this exchange says it is; what is wrong with it, in words: mostly nothing."""
        row, step = self._by_shopper.get(exchange.shopper), exchange.step
        if row is None or not 0 <= step < len(row):
            return ("nobody planned it",)
        planned = row[step]
        row[step] = planned | _DONE
        # With the mark of an earlier exchange it equals no kind: a step that is told twice goes on to what is below.
        if planned == self._kinds.get((exchange.do, exchange.sku, exchange.quantity, exchange.jar)):
            return ()
        problems = []
        do, sku, quantity, jar = self._what[planned & ~_DONE]
        if do != exchange.do or sku != exchange.sku or quantity != exchange.quantity:
            problems.append(f"the plan says {do!r} {sku}".rstrip())
        elif jar != exchange.jar:
            problems.append(f"the plan says with jar {jar!r}, the history {exchange.jar!r}")
        if planned & _DONE:
            problems.append("it stands in the history twice")
        return problems

    def _kind(self, action: Action) -> int:
        return self._kinds.setdefault((action.do, action.sku, action.quantity, action.jar), len(self._kinds))


PROBLEMS_LISTED = 20
ADDS: frozenset[Do] = frozenset({"add", "remember"})
"""What puts units of goods into the book."""
_LOSES_ITEMS = ("cart_lost", "items_lost", "order_lost")


class ClosedBooks(msgspec.Struct, frozen=True):
    """All three books, and what is wrong with them."""

    actions: ActionBook
    users: UserBook
    items: ItemBook
    logged_out: LogoutCounts
    problems: tuple[str, ...]
    """Sentences; none if the books balance. At most 20 and a last one that counts the rest."""


class ActionCounts:
    """What became of the planned actions: `add` every exchange; it may be asked at any time, in a live round, too."""

    def __init__(self) -> None:
        self._outcomes: dict[Outcome, int] = {"ok": 0, "failed": 0, "unknown": 0, "not_sent": 0}
        self._unknown: dict[str, Exchange] = {}

    def add(self, exchange: Exchange) -> None:
        """Count one exchange."""
        if exchange.outcome == "unknown":
            self._unknown[exchange.request] = exchange
        if exchange.why == "plan":
            self._outcomes[exchange.outcome] += 1

    def settled(self, replay: HistoryReplay, *, orders_read: bool) -> dict[str, Outcome]:
        """What became of the requests whose outcome was unknown; the database, if it was read, knows best."""
        settled: dict[str, Outcome] = {}
        for person in replay.people.values():
            settled |= {request: it for request, it in person.memory.settled.items() if request in self._unknown}
        if orders_read:
            for request, exchange in self._unknown.items():
                if exchange.do == "checkout":
                    settled[request] = "ok" if request in replay.made else "failed"
        return settled

    def counts(self, settled: dict[str, Outcome]) -> dict[Outcome, int]:
        """How many had each outcome, what was settled being what it was settled to be."""
        counts = dict(self._outcomes)
        for request, outcome in settled.items():
            if self._unknown[request].why == "plan":
                counts["unknown"] -= 1
                counts[outcome] += 1
        return counts


class Books(ActionCounts):
    """`add` every exchange, then `close`."""

    def __init__(self, steps: Steps, *, by_status: bool = True) -> None:
        super().__init__()
        self._by_status = by_status  # otherwise a description says what it means: a login may be answered by 302
        self._steps = steps
        self._added: dict[int, int] = {}
        self._problems: list[str] = []

    def add(self, *exchanges: Exchange) -> None:
        """Count some exchanges."""
        for exchange in exchanges:
            outcome, status = exchange.outcome, exchange.status
            if outcome == "ok" and exchange.do in ADDS and exchange.jar == "main":
                self._added[exchange.shopper] = self._added.get(exchange.shopper, 0) + exchange.quantity
            elif outcome == "unknown":
                self._unknown[exchange.request] = exchange
            # An ok in the two hundreds, as nearly all are, goes together in any case.
            if not (outcome == "ok" and 200 <= status < 300) and not self._goes_together(exchange):
                self._wrong(exchange, f"its outcome {outcome!r} does not go with status {status}")
            if exchange.why == "plan":
                self._outcomes[outcome] += 1
                if problems := self._steps.tick_off(exchange):
                    for problem in problems:
                        self._wrong(exchange, problem)

    def close(self, replay: HistoryReplay, *, orders_read: bool) -> ClosedBooks:
        """The books at the end. `orders_read`: the database was read, so it settles unknown checkouts."""
        settled = self.settled(replay, orders_read=orders_read)
        actions = self._actions(settled)
        users, logged_out = self._users(replay)
        items = self._items(replay, settled, orders_read=orders_read)
        self._compare_with_losses(replay, items, logged_out)
        listed = self._problems[:PROBLEMS_LISTED]
        if len(self._problems) > len(listed):
            listed.append(f"and {len(self._problems) - len(listed)} more")
        return ClosedBooks(actions, users, items, logged_out, tuple(listed))

    def _actions(self, settled: dict[str, Outcome]) -> ActionBook:
        counts = self.counts(settled)
        planned_ones = sum(self._unknown[request].why == "plan" for request in settled)
        planned = self._steps.planned
        if sum(counts.values()) != planned:
            self._problems.append(
                f"{counted(planned, 'action was', 'actions were')} planned, the history tells of {sum(counts.values())}"
            )
        return ActionBook(
            planned, counts["ok"], counts["failed"], counts["unknown"], counts["not_sent"], settled=planned_ones
        )

    def _users(self, replay: HistoryReplay) -> tuple[UserBook, LogoutCounts]:
        known = [person for person in replay.people.values() if person.life.known is not None]
        out = replay.logged_out()
        planned = self._steps.shoppers
        # By the plan: of a shopper who was never let in, the history may not even have the name.
        never = len(planned - {person.shopper for person in known})
        undecided = sum(person.undecided for person in known)
        users = UserBook(len(planned), len(known) - out.shoppers - undecided, out.shoppers, never, undecided)
        if users.shoppers != users.kept + users.logged_out + users.never_logged_in + users.undecided:
            self._problems.append(
                f"{counted(users.shoppers, 'shopper was', 'shoppers were')} planned, and {users.kept} "
                f"kept their login, {counted(users.logged_out, 'was', 'were')} logged out, "
                f"{users.never_logged_in} never logged in, {users.undecided} undecided"
            )
        return users, out

    def _items(self, replay: HistoryReplay, settled: dict[str, Outcome], *, orders_read: bool) -> ItemBook:
        total = Items()
        settled_adds, open_adds = self._unknown_adds(settled)
        for person in replay.people.values():
            book = person.memory.book()
            surely = self._added.get(person.shopper, 0) + settled_adds.get(person.shopper, 0)
            # The memory's count against the sum of the single exchanges.
            if not surely <= book.acknowledged <= surely + open_adds.get(person.shopper, 0):
                self._problems.append(
                    f"shopper {person.shopper}: {counted(surely, 'unit was', 'units were')} acknowledged "
                    f"one by one, the memory has {book.acknowledged}"
                )
            total.add(book)
        replay.enter_denied(total)
        for promise in replay.promises if orders_read else ():
            _enter_order(total, promise, replay.orders.get(promise.exchange.order))
        if total.balance():
            self._problems.append(f"the units of goods do not add up: {total.balance():+d} on the left side")
        return ItemBook(**asdict(total))

    def _unknown_adds(self, settled: dict[str, Outcome]) -> tuple[dict[int, int], dict[int, int]]:
        """Units of adds that were unknown to the client, by shopper: those that did happen, and those still open."""
        happened: dict[int, int] = {}
        still_open: dict[int, int] = {}
        for request, exchange in self._unknown.items():
            outcome = settled.get(request)
            if exchange.do in ADDS and outcome != "failed" and exchange.jar == "main":
                units = happened if outcome == "ok" else still_open
                units[exchange.shopper] = units.get(exchange.shopper, 0) + exchange.quantity
        return happened, still_open

    def _compare_with_losses(self, replay: HistoryReplay, items: ItemBook, logged_out: LogoutCounts) -> None:
        """What the checks accuse of is what the books have lost; not asked if a check crashed."""
        if replay.crashed:
            return
        losses = replay.losses()
        lost = sum(loss.items for loss in losses if loss.kind in _LOSES_ITEMS)
        if lost != items.lost:
            self._problems.append(f"{counted(items.lost, 'unit is', 'units are')} missing, the losses name {lost}")
        events = sum(loss.kind == "logged_out" for loss in losses)
        if events != logged_out.events:
            self._problems.append(f"{counted(logged_out.events, 'time')} a login was lost, the losses name {events}")

    def _goes_together(self, exchange: Exchange) -> bool:
        ok = exchange.outcome == "ok"
        if not self._by_status:
            return not ok or 0 < exchange.status < 500
        if ok == (200 <= exchange.status < 300):
            return True
        # They differ, and rightly so: of what nobody was asked, of what was to be refused, of an answer cut short.
        if exchange.do in NOT_ASKED:
            return ok and not exchange.request
        refused_as_meant = exchange.jar != "main" and ok and 400 <= exchange.status < 500
        return refused_as_meant or exchange.dropped or exchange.error == UNREADABLE

    def _wrong(self, exchange: Exchange, what: str) -> None:
        name = exchange.request or f"step {exchange.step} of shopper {exchange.shopper}"
        self._problems.append(f"{name} ({exchange.do}): {what}")


def _enter_order(book: Items, promise: AcknowledgedOrder, order: StoredOrder | None) -> None:
    """What the database holds of an acknowledged order, in place of what the shopper believes that it ordered."""
    if promise.cart is None:
        return
    if order is None or not promise.kept_by(order):
        units = sum(promise.cart.values())
        book.ordered -= units
        book.lost += units
        return
    missing, extra = promise.missing(order), promise.extra(order)
    book.ordered += extra - missing
    book.gained += extra
    book.lost += missing
