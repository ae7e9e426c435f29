"""What every tally must do. A test of a tally inherits this and brings histories that it must and must not count."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import pytest
from msgspec.structs import replace

from loadtests.checks import MEASURES, TALLIES, Tally
from loadtests.judging import replay as module
from loadtests.judging.replay import Tallies
from loadtests.model.history import Exchange
from loadtests.model.results import Counted
from loadtests.session_model.timeline import RunTimeline
from tests.loadtests.stories import Story, scene


class Case(NamedTuple):
    """A history, where it happened, and whom and how often this tally must count."""

    exchanges: list[Exchange]
    scene: RunTimeline
    shoppers: int = 1
    events: int = 1


def case(*told: Story, at: RunTimeline | None = None, shoppers: int = 1, events: int = 1) -> Case:
    """A case from stories."""
    exchanges = [exchange for story in told for exchange in story.exchanges]
    return Case(sorted(exchanges, key=lambda exchange: exchange.done_us), at or scene(), shoppers, events)


class TallyContract:
    """Inherit, and name `tally`, `counts` and `does_not`."""

    tally: ClassVar[type[Tally]]
    counts: ClassVar[dict[str, Case]]
    """Histories in which it must count."""
    does_not: ClassVar[dict[str, Case]]
    """Near misses in which it must not."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        for name, cases in (("counted_case", "counts"), ("near_miss", "does_not")):
            if name in metafunc.fixturenames:
                found = getattr(self, cases)
                metafunc.parametrize(name, found.values(), ids=found.keys())

    def found(self, told: Case) -> Counted:
        board = Tallies(told.scene)
        for exchange in told.exchanges:
            board.add(exchange)
        assert not board.crashed
        return board.close()[self.tally.name]

    def test_it_counts(self, counted_case: Case) -> None:
        assert self.found(counted_case) == Counted(counted_case.shoppers, counted_case.events)

    def test_it_does_not_count_a_near_miss(self, near_miss: Case) -> None:
        assert self.found(near_miss) == Counted(0, 0)

    def test_it_counts_the_same_alone(self, counted_case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
        among_all = self.found(counted_case)
        monkeypatch.setattr(module, "TALLIES", {self.tally.name: self.tally})
        assert self.found(counted_case) == among_all

    def test_it_is_listed_once_and_says_its_rule(self) -> None:
        assert TALLIES[self.tally.name] is self.tally
        assert self.tally.rule.endswith(".")
        for measure in self.tally.measures:  # what is in the registry reads nothing where nobody could see it
            assert replace(MEASURES[measure.name], read=measure.read) == measure
