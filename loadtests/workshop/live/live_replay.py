"""The replay of a round that still goes on: the same checks, hearing of faults and of losses as they come.

The scene grows. What was named before its cause was seen (a fault is observed up to some seconds after it struck) is
looked at again with each step of a fault that it may have come from, so that at the end every loss is as
`loadtests.judging.judge` finds it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import NamedTuple

from loadtests.checks import Check
from loadtests.history import Exchange
from loadtests.judging.memory import Finding
from loadtests.judging.person import Person
from loadtests.judging.replay import Replay
from loadtests.judging.scene import Scene
from loadtests.results import Loss


class _Case(NamedTuple):
    """What a loss was found from."""

    number: int
    check: Check
    place: int
    """Among the check's losses."""
    person: Person
    """As it was then."""
    exchange: Exchange
    finding: Finding


class LiveReplay(Replay):
    """`add` exchanges as they come, `see` the scene whenever it has grown, and `close` at the end."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self.found: list[Loss] = []
        """All losses, in the order in which they were found."""
        self.news: set[int] = set()
        """Which of them are new or other than before; whoever reads it may clear it."""
        self._cases: list[_Case] = []
        self._gathered = [0] * len(self.checks)

    def add(self, exchange: Exchange) -> None:
        """The next exchange."""
        super().add(exchange)
        if exchange.jar != "main":
            self._gather()

    def close(self) -> None:
        """The history has ended, and the orders have been added."""
        super().close()
        self._gather()

    def review(self, since_us: int) -> None:
        """Look again at every loss that was shown since then: the scene knows more."""
        for case in self._cases:
            if case.exchange.done_us >= since_us:
                self._guard(case.check.kind, self._review, case)

    def _review(self, case: _Case) -> None:
        again = type(case.check)(self._scene)
        again.contradicted(case.person, case.exchange, case.finding)
        for loss in again.losses:
            if loss != self.found[case.number]:
                case.check.losses[case.place] = self.found[case.number] = loss
                self.news.add(case.number)

    def _contradicted(self, person: Person, exchange: Exchange, findings: Iterable[Finding]) -> None:
        for finding in findings:
            before = copy.copy(person)
            super()._contradicted(person, exchange, (finding,))
            for number, check, place in self._gather():
                self._cases.append(_Case(number, check, place, before, exchange, finding))

    def _gather(self) -> list[tuple[int, Check, int]]:
        """What the checks have named since the last time: its number, by whom, and the index there."""
        gathered = []
        for place, check in enumerate(self.checks):
            for index in range(self._gathered[place], len(check.losses)):
                gathered.append((len(self.found), check, index))
                self.news.add(len(self.found))
                self.found.append(check.losses[index])
            self._gathered[place] = len(check.losses)
        return gathered
