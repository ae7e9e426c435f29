"""The replay of a round that still goes on: the same checks, hearing of faults and of losses as they come.

The scene grows. What was named before its cause was seen (a fault is observed up to some seconds after it struck) is
looked at again with each step of a fault that it may have come from, so that at the end every loss is as
`loadtests.judging.judge` finds it.

A round may take hours, and one architecture loses something with every other answer: all losses are counted, and of
each shopper only the first ones are kept.
"""

import copy
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from loadtests.checks import Check
from loadtests.judging.replay import HistoryReplay
from loadtests.model.events import Event, LoadSample, NodeSample, PartSample
from loadtests.model.history import Exchange
from loadtests.model.results import Loss
from loadtests.session_model.carts import Contradiction
from loadtests.session_model.shopper_trace import ShopperTrace
from loadtests.session_model.timeline import RunTimeline, run_timeline
from loadtests.workshop.live.states import TrackedRows

MOST_OF_ONE = 20  # so many losses of one shopper are kept, to be shown with their witness


class LiveTimeline:
    """The scene of a round that goes on, made again whenever an event tells more: `hear` all, and read `scene`."""

    def __init__(self, architecture: str) -> None:
        self.scene = RunTimeline(architecture)
        self._architecture = architecture
        self._events: list[Event] = []
        self._fullest: dict[str, int] = {}

    def hear(self, event: Event) -> bool:
        """Whether the scene is another one now."""
        # Samples come all the time: none is kept, and of a node no more than how full it was at its fullest.
        if isinstance(event, (PartSample, LoadSample)):
            return False
        if isinstance(event, NodeSample):
            fullest = {node: max(held, self._fullest.get(node, 0)) for node, held in event.sessions.items()}
            if all(self._fullest.get(node) == held for node, held in fullest.items()):
                return False
            self._fullest |= fullest
        else:
            self._events.append(event)
        most = NodeSample(self._architecture, 0, self._fullest)
        self.scene = run_timeline(self._architecture, [*self._events, most] if self._fullest else self._events)
        return True


class _Case(NamedTuple):
    """What a loss was found from."""

    number: int
    check: Check
    person: ShopperTrace  # as it was then
    exchange: Exchange
    finding: Contradiction


class LiveReplay(HistoryReplay):
    """`add` exchanges as they come, `see` the scene whenever it has grown, and `close` at the end."""

    def __init__(self, scene: RunTimeline) -> None:
        super().__init__(scene)
        self.kept: TrackedRows[int, Loss] = TrackedRows()
        """By number, from 0, in the order in which losses were found."""
        self.lost: Counter[str] = Counter()
        """All losses by kind."""
        self._lost_by: Counter[int] = Counter()
        """All losses by shopper."""
        self._cases: list[_Case] = []
        self._found = 0

    def add(self, *exchanges: Exchange) -> None:
        """The next exchanges."""
        for exchange in exchanges:
            super().add(exchange)
            # What is found in the main jar is gathered where it is contradicted, with its case.
            if exchange.jar != "main":
                self._gather()

    def close(self) -> None:
        """The history has ended, and the orders have been added."""
        super().close()
        self._gather()

    def losses(self) -> tuple[Loss, ...]:
        """Those that are kept."""
        return tuple(self.kept.values())

    def review(self, since_us: int) -> None:
        """Look again at every kept loss that was shown since then: the scene knows more."""
        for case in self._cases:
            if case.exchange.done_us >= since_us:
                self._guard(case.check.kind, self._review, case)

    def _review(self, case: _Case) -> None:
        again = type(case.check)(self.around)  # a new one: the old one's losses are gathered, and counted
        again.contradicted(case.person, case.exchange, case.finding)
        for loss in again.losses:
            self.kept.tell(case.number, loss)

    def _contradicted(self, person: ShopperTrace, exchange: Exchange, findings: Iterable[Contradiction]) -> None:
        for finding in findings:
            before = copy.copy(person)  # what a review judges by: the shopper goes on
            super()._contradicted(person, exchange, (finding,))
            for number, check in self._gather():
                self._cases.append(_Case(number, check, before, exchange, finding))

    def _gather(self) -> list[tuple[int, Check]]:
        """What the checks have named since the last time, as far as it is kept: its number, and by whom."""
        kept = []
        for check in self.checks.values():
            for loss in check.losses:
                if self._count(loss):
                    self.kept.tell(self._found, loss)
                    kept.append((self._found, check))
                self._found += 1
            check.losses.clear()  # a check would keep them all, and a round may take hours
        return kept

    def _count(self, loss: Loss) -> bool:
        self.lost[loss.kind] += 1
        self._lost_by[loss.shopper] += 1
        return self._lost_by[loss.shopper] <= MOST_OF_ONE
