"""Replays a history through the shoppers' memories, once, and lets every check hear what it needs.

Nothing of the history is kept but a few exchanges of each shopper and the checkouts, so that a history of millions of
records needs no more memory than its shoppers and its orders.
"""

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from itertools import islice
from typing import ParamSpec

from loadtests.checks import CHECKS, TALLIES, Check
from loadtests.faults.effects import NodeFormat
from loadtests.model.history import ENDS_SESSION, STALLED_US, Do, Exchange, StoredOrder
from loadtests.model.results import Counted, LogoutCounts, Loss
from loadtests.session_model.carts import Cart, Contradiction, Items
from loadtests.session_model.circumstances import circumstances_of
from loadtests.session_model.shopper_trace import AcknowledgedOrder, ShopperTrace, packed, packed_order
from loadtests.session_model.timeline import RunTimeline

P = ParamSpec("P")


class Guarded:
    """Somebody who tells checks or tallies what they are to hear, and goes on without those that raise."""

    def __init__(self) -> None:
        self.crashed: dict[str, str] = {}
        """Those that raised, and what; each is *unknown* from then on, and what it found before stands."""

    def _guard(self, name: str, hear: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        # Not asked again: what it has in mind after an error is no ground for accusing anybody.
        if name in self.crashed:
            return
        try:
            hear(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - whatever it is: the verdict names it
            self.crashed[name] = f"{type(error).__name__}: {error}"


_Supposed = tuple[ShopperTrace, Exchange, Contradiction]
"""The shopper before the answer that showed the cart without the goods; that answer; what it is without an order."""


class HistoryReplay(Guarded):
    """One architecture's history; `add` its records in order, then `close`."""

    def __init__(self, scene: RunTimeline) -> None:
        super().__init__()
        self.people: dict[int, ShopperTrace] = {}
        self.promises: list[AcknowledgedOrder] = []
        self.orders: dict[str, StoredOrder] = {}
        """By the order's number."""
        self.made: set[str] = set()
        """Requests that made an order, of those of which no answer says that they did."""
        self.around = circumstances_of(scene)
        self.checks = {kind: check(self.around) for kind, check in CHECKS.items()}
        """All of them by kind, with the losses that they have named so far."""
        # A history of millions has orders by the hundred thousand, and most checks hear nothing of them.
        self._of_orders = [check for check in self.checks.values() if type(check).stored is not Check.stored]
        self._checkouts: dict[str, AcknowledgedOrder] = {}
        """By request; those too of which nobody knows what became."""
        self._supposed: dict[str, _Supposed] = {}
        """By request, unknown checkouts that were taken for orders."""

    def see(self, scene: RunTimeline) -> None:
        """What the checks look at from now on: of a run that still goes on, the scene grows."""
        self.around = circumstances_of(scene)
        for check in self.checks.values():
            check.around = self.around

    def add(self, *exchanges: Exchange) -> None:
        """The next exchanges of the history. Nearly all are as expected, and need no more than to be kept."""
        person_of = self.people.get
        for exchange in exchanges:
            person = person_of(exchange.shopper)
            if person is None or not person.memory.confirms(exchange):
                self._consider(exchange)
            # Confirmed: nothing is contradicted, so no check need be asked. This is the way of nearly all records.
            elif exchange.cart is not None:
                person.keep_cart(exchange)
            else:
                if exchange.cookie_refused:
                    person.refused = exchange
                if person.life.watches_pages:
                    person.life.page(exchange)
            # Answered as a stranger is looked at, too: it is known what became of the session.
            if exchange.why == "audit" and (exchange.outcome == "ok" or exchange.as_stranger):
                self.people[exchange.shopper].seen_by_audit = True

    def _consider(self, exchange: Exchange) -> None:
        # It met nobody, and changes nothing that anybody may expect; books count it by the plan.
        if exchange.outcome == "not_sent":
            return
        person = self.people.get(exchange.shopper)
        if person is None:
            person = self.people[exchange.shopper] = ShopperTrace(exchange.shopper, self.around.run)
        if exchange.jar != "main":
            self._elsewhere(person, exchange)
            return
        memory, supposed = person.memory, len(person.memory.supposed)
        findings = memory.saw(exchange)
        if findings:
            self._contradicted(person, exchange, findings)
        for request in islice(memory.supposed, supposed, None):
            self._supposed[request] = copy(person), exchange, memory.supposed[request]
        if exchange.do == "checkout":
            # Before `keep`: what may be asked for is the answer that showed the cart before this one.
            self._checkout(exchange, person.memory.checked_out, person.cart)
        person.keep(exchange)

    def add_order(self, order: StoredOrder) -> None:
        """An order that the database held after the run."""
        promise = self._checkouts.get(order.request)
        order = packed_order(order, promise)
        self.orders[order.order] = order
        if promise is None or promise.exchange.outcome == "unknown":
            self.made.add(order.request)
        for check in self._of_orders:
            self._guard(check.kind, check.stored, order, promise.exchange if promise else None)

    def close(self) -> None:
        """The history has ended. Orders are compared with the database only if the run came so far as to read it."""
        for person, exchange, finding in self._denied():
            self._contradicted(person, exchange, (finding,))
        for check in self.checks.values():
            self._guard(check.kind, self._close, check)

    def losses(self) -> tuple[Loss, ...]:
        """All losses, in order of time."""
        found = [loss for check in self.checks.values() for loss in check.losses]
        # A total order: results are compared byte by byte.
        return tuple(sorted(found, key=lambda loss: (loss.at_ms, loss.shopper, loss.kind)))

    def logged_out(self) -> LogoutCounts:
        """Shoppers who were logged out involuntarily, and how often."""
        times = [person.logouts for person in self.people.values() if person.life.known is not None and person.logouts]
        return LogoutCounts(len(times), sum(times), sum(each > 1 for each in times))

    def facts(self) -> int:
        """Acknowledged facts that a later answer, or the database, was compared with."""
        by_answers = sum(person.memory.facts for person in self.people.values())
        return by_answers + (len(self.promises) if self.around.run.finished else 0)

    def enter_denied(self, book: Items) -> None:
        """Book what was taken for ordered, and the database denies, where it belongs."""
        for _, _, finding in self._denied():
            book.ordered -= finding.items
            if finding.kind:
                book.lost += finding.items
            else:
                book.undecided += finding.items

    def _denied(self) -> Iterator[_Supposed]:
        """Checkouts that no answer acknowledged and that made no order, although the cart was shown without them."""
        run = self.around.run
        if run.finished and run.can.shows_orders:
            yield from (it for request, it in self._supposed.items() if request not in self.made)

    def _elsewhere(self, person: ShopperTrace, exchange: Exchange) -> None:
        """With other cookies than the shopper's own: only an order changes what the shopper may expect."""
        for check in self.checks.values():
            self._guard(check.kind, check.elsewhere, person, exchange)
        person.life.renewed(exchange)
        if exchange.do == "checkout":
            # Whose cart those cookies led to is not known: of the order, only that it was made.
            self._checkout(exchange, None)

    def _close(self, check: Check) -> None:
        if self.around.run.finished and type(check).promised is not Check.promised:
            for promise in self.promises:
                check.promised(promise, self.orders.get(promise.exchange.order))
        check.close()

    def _contradicted(self, person: ShopperTrace, exchange: Exchange, findings: Iterable[Contradiction]) -> None:
        for finding in findings:
            if (check := self.checks.get(finding.kind)) is not None:
                self._guard(finding.kind, check.contradicted, person, exchange, finding)
            if finding.kind == "logged_out":
                person.lost_login(exchange)

    def _checkout(self, exchange: Exchange, cart: Cart | None, shown: Exchange | None = None) -> None:
        if exchange.outcome not in ("ok", "unknown"):
            return
        several_versions = any(self.around.of(NodeFormat))
        asked_for = shown if shown is not None and (shown.overlapped or several_versions) else None
        promise = packed(exchange, cart if exchange.outcome == "ok" else None, asked_for)
        self._checkouts[exchange.request] = promise
        if exchange.outcome == "ok" and exchange.order:
            self.promises.append(promise)


TELLING: frozenset[Do] = frozenset({"login", "watch", "read_cookie", *ENDS_SESSION})
"""What every tally hears of, whatever came of it."""


class Tallies(Guarded):
    """`add` all exchanges of one architecture, in order, then `close`."""

    def __init__(self, scene: RunTimeline) -> None:
        super().__init__()
        self._tallies = [tally(scene) for tally in TALLIES.values()]
        self._tell_all = any(tally.hears_all for tally in self._tallies)

    def add(self, *exchanges: Exchange) -> None:
        """Count some exchanges, in order."""
        for exchange in exchanges:
            if (
                exchange.outcome != "ok"
                or exchange.do in TELLING
                or exchange.done_us - exchange.sent_us > STALLED_US
                or exchange.cookie_refused
                or self._tell_all
            ):
                self._tell_each(exchange)

    def close(self) -> dict[str, Counted]:
        """What was counted, by tally."""
        return {tally.name: tally.counted() for tally in self._tallies}

    def _tell_each(self, exchange: Exchange) -> None:
        for tally in self._tallies:
            self._guard(tally.name, tally.saw, exchange)
        self._tell_all = any(tally.hears_all or tally.following for tally in self._tallies)
