"""The history of one shopper as it comes about: an `Exchange` of each request, and of each action that sends none."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from loadtests.load.answers import Reading, ShopAnswer, brings_session, made_for
from loadtests.load.at_once import ALONE, OpenRequest
from loadtests.load.worker_config import VisitConfig
from loadtests.model.history import Exchange, Outcome, Why
from loadtests.model.plan import Action
from loadtests.session_model.carts import Contradiction
from loadtests.session_model.expectations import ExpectedSession

if TYPE_CHECKING:  # imports gevent, which patches the process
    from loadtests.load.load_worker import LoadClock

Saw = Callable[[Exchange, ShopAnswer | None, tuple[Contradiction, ...]], None]
"""Takes each exchange, with the answer if anything was sent, and what the shopper's memory finds wrong with it."""


class DueAction(NamedTuple):
    """What a shopper is to do, and on which occasion."""

    action: Action
    why: Why
    due_us: int
    """When it should be sent."""
    step: int = -1
    """The action's index in the plan; -1: it is not in it."""


def planned(action: Action, step: int) -> DueAction:
    """The action of the plan that has this index there."""
    return DueAction(action, "plan", action.at_ms * 1000, step)


class ShopperHistory:
    """Records whatever a shopper does: lets its memory learn of it, and hands it on.

    It decides nothing: which outcome an answer is, the application's client says.
    """

    def __init__(
        self, shopper: int, terms: VisitConfig, clock: LoadClock, memory: ExpectedSession, saw: Saw
    ) -> None:  # fmt: skip
        self._shopper = shopper
        self._terms = terms
        self._clock = clock
        self._memory = memory
        self._saw = saw
        self._begun: dict[int, Action] = {}

    def begin(self, step: int, actions: Iterable[Action]) -> None:
        """From now on these actions of the plan, the first of which has that index, are `unrecorded`."""
        self._begun.update(enumerate(actions, step))

    def drop(self, step: int) -> None:
        """It turned out that this one was never planned: the window ended before it."""
        del self._begun[step]

    def unrecorded(self) -> list[DueAction]:
        """What was begun and is not in the history, in the order of the plan."""
        return [planned(action, step) for step, action in sorted(self._begun.items())]

    def answered(
        self, due: DueAction, request: str, answer: ShopAnswer, reading: Reading, met: OpenRequest = ALONE
    ) -> Exchange:
        """A request was sent, and this came of it. `met`: whether others were on their way beside it."""
        action, zero_ns, shown = due.action, self._clock.zero_ns, reading.shown
        kept_from = made_for(answer, request) if self._terms.run else ""
        exchange = Exchange(
            architecture=self._terms.architecture,
            shopper=self._shopper,
            request=request,
            why=due.why,
            do=action.do,
            outcome=reading.outcome,
            planned_us=due.due_us,
            sent_us=(answer.sent_ns - zero_ns) // 1000,
            done_us=(answer.done_ns - zero_ns) // 1000,
            step=due.step,
            jar=action.jar,
            cookie_bytes=answer.cookie_bytes,
            body_bytes=answer.streamed or len(answer.body),  # a stream is counted, and not kept
            cookie_refused=answer.cookie_refused,
            overlapped=met.overlapped,
            beside=met.beside,
            dropped=answer.dropped,
            status=answer.status,
            error=reading.error,
            # A page that was kept names the node that made it, for somebody else and long ago.
            node="" if kept_from else answer.header(self._terms.http.node_header),
            sku=action.sku,
            quantity=action.quantity,
            key=action.key,
            user=shown.user,
            cart=shown.cart,
            order=shown.order,
            orders=shown.orders,
            stranger=reading.stranger and answer.status != 401,  # which says so itself
            kept_from=kept_from,
            kept_session=bool(kept_from) and brings_session(answer),
        )
        self._hand_over(exchange, answer, self._memory.saw(exchange))
        return exchange

    def done(self, due: DueAction, user: str = "") -> None:
        """It was done, and nothing was sent for it. `user`: whose name was read."""
        exchange = self._unsent(due, "ok", user=user)
        self._hand_over(exchange, None, self._memory.saw(exchange))

    def not_sent(self, due: DueAction, why_not: str) -> None:
        """It was not done."""
        self._hand_over(self._unsent(due, "not_sent", error=why_not), None, ())

    def _unsent(self, due: DueAction, outcome: Outcome, *, error: str = "", user: str = "") -> Exchange:
        action = due.action
        return Exchange(
            architecture=self._terms.architecture,
            shopper=self._shopper,
            request="",
            why=due.why,
            do=action.do,
            outcome=outcome,
            planned_us=due.due_us,
            done_us=self._clock.now_us(),
            step=due.step,
            jar=action.jar,
            error=error,
            sku=action.sku,
            quantity=action.quantity,
            key=action.key,
            user=user,
        )

    def _hand_over(
        self, exchange: Exchange, answer: ShopAnswer | None, findings: tuple[Contradiction, ...]
    ) -> None:  # fmt: skip
        if exchange.step >= 0:
            self._begun.pop(exchange.step, None)
        # Live findings are only counted, for progress: the judge replays the history, and finds them again.
        self._saw(exchange, answer, findings)
