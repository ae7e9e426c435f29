"""What every check must do. A test of a check inherits this and brings its own histories, guilty and innocent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, NamedTuple

import pytest
from msgspec.structs import replace

from loadtests.checks import CAUSES, CHECKS, MEASURES, Check
from loadtests.model.history import Record
from loadtests.model.results import ArchitectureResult, Loss
from loadtests.session_model.timeline import RunTimeline
from tests.loadtests.stories import Story, losses, replayed, scene


class Case(NamedTuple):
    """A history, where it happened, and how often this check must accuse."""

    records: list[Record]
    scene: RunTimeline
    times: int = 1


def case(*told: Story | Record, at: RunTimeline | None = None, times: int = 1) -> Case:
    """A case from stories and stored orders."""
    exchanges = [exchange for story in told if isinstance(story, Story) for exchange in story.exchanges]
    orders = [record for record in told if not isinstance(record, Story)]
    exchanges.sort(key=lambda exchange: exchange.done_us)
    return Case([*exchanges, *orders], at or scene(), times)


class CheckContract:
    """Inherit, and name `check`, `guilty` and `innocent`."""

    check: ClassVar[type[Check]]
    guilty: ClassVar[dict[str, Case]]
    """Histories that it must accuse."""
    innocent: ClassVar[dict[str, Case]]
    """Near misses that it must not."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        for name in ("guilty_case", "innocent_case"):
            if name in metafunc.fixturenames:
                cases = getattr(self, name.removesuffix("_case"))
                metafunc.parametrize(name, cases.values(), ids=cases.keys())

    def found(self, case: Case) -> list[Loss]:
        return [loss for loss in losses(case.records, case.scene) if loss.kind == self.check.kind]

    def test_it_accuses(self, guilty_case: Case) -> None:
        assert len(self.found(guilty_case)) == guilty_case.times

    def test_it_does_not_accuse_a_near_miss(self, innocent_case: Case) -> None:
        assert self.found(innocent_case) == []

    def test_each_loss_has_a_witness_and_a_cause(self, guilty_case: Case) -> None:
        requests = {getattr(record, "request", "") for record in guilty_case.records}
        for loss in self.found(guilty_case):
            assert loss.cause in CAUSES
            assert len(loss.witness) >= 2, "what was acknowledged, and what contradicts it"
            assert {event.request for event in loss.witness} <= requests | {""}
            times = [event.at_ms for event in loss.witness]
            assert times == sorted(times)
            assert all(event.what for event in loss.witness)
            assert loss.at_ms == loss.witness[-1].at_ms

    def test_another_shopper_beside_changes_nothing(self, guilty_case: Case) -> None:
        bystander = Story(shopper=4711).login("n3").add("tea", shows={"tea": 1}, node="n3").cart({"tea": 1}, node="n3")
        mixed = _between(guilty_case.records, bystander)
        assert self.found(guilty_case._replace(records=mixed)) == self.found(guilty_case)

    def test_it_finds_the_same_alone(self, guilty_case: Case) -> None:
        alone = replayed(guilty_case.records, guilty_case.scene, {self.check.kind: self.check}).losses()
        assert list(alone) == self.found(guilty_case)

    def test_of_nothing_it_finds_nothing(self) -> None:
        assert self.found(Case([], RunTimeline("nowhere"), 0)) == []

    def test_it_is_listed_once_and_says_its_rule(self) -> None:
        assert CHECKS[self.check.kind] is self.check
        assert self.check.rule.endswith(".")
        assert self.check.happened
        assert self.check.singular not in ("", self.check.plural)
        assert self.check.plural

    def test_what_it_names_is_counted_and_can_be_predicted(self) -> None:
        assert not self.check.field or self.check.field in ArchitectureResult.__struct_fields__
        for measure in self.check.measures:  # what is in the registry reads nothing where nobody could see it
            assert replace(MEASURES[measure.name], read=measure.read) == measure


def _between(records: Iterable[Record], story: Story) -> list[Record]:
    """The story's exchanges among the records, as load processes would have written them."""
    others: list[Record] = list(story.exchanges)
    mixed: list[Record] = []
    for record in records:
        mixed += [others.pop(0)] if others else []
        mixed.append(record)
    return [*mixed, *others]
