from __future__ import annotations

from collections import Counter

import msgspec

from loadtests.checks import CHECKS
from loadtests.report.witnesses import LISTED, causes_of, more_losses, told_loss
from tests.loadtests.report.conftest import MadeUp


def test_told_listed_and_left_out_are_all_losses(made_up: MadeUp) -> None:
    architectures = made_up.results.architectures
    firsts = [one for it in causes_of(architectures) for one in it.firsts]
    for name, result in architectures.items():
        more = more_losses(name, result)
        mine = [one.id for one in firsts if one.architecture == name]
        assert len(mine) + len(more.listed) + more.left_out == more.total == len(result.losses)
        assert len(more.listed) <= LISTED
        assert not set(mine) & {one.id for one in more.listed}


def test_every_loss_is_counted_once_by_its_cause(made_up: MadeUp) -> None:
    architectures = made_up.results.architectures
    lost = Counter((loss.cause, name, loss.kind) for name, result in architectures.items() for loss in result.losses)
    shown = Counter[tuple[str, str, str]]()
    for it in causes_of(architectures):
        assert it.total == sum(sum(toll.values()) for toll in it.tolls.values())
        kinds = {(word, one): kind for kind, it in CHECKS.items() for word, one in ((it.singular, 1), (it.plural, 0))}
        for architecture, toll in it.tolls.items():
            for word, count in toll.items():
                shown[it.firsts[0].loss.cause, architecture, kinds[word, count == 1]] += count
    assert shown == lost


def test_the_first_of_each_kind_is_told_in_each_architecture(made_up: MadeUp) -> None:
    """That is what the table of numbers leads to."""
    architectures = made_up.results.architectures
    firsts = {one.id for it in causes_of(architectures) for one in it.firsts}
    for name, result in architectures.items():
        for kind in {loss.kind for loss in result.losses}:
            number = next(number for number, loss in enumerate(result.losses) if loss.kind == kind)
            assert told_loss(name, number, result).id in firsts


def test_the_most_frequent_cause_comes_first(made_up: MadeUp) -> None:
    causes = causes_of(made_up.results.architectures)
    assert [it.cause for it in causes][:2] == ["other node", "node killed"]
    assert [it.total for it in causes] == sorted((it.total for it in causes), reverse=True)


def test_no_loss_no_cause(made_up: MadeUp) -> None:
    redis = made_up.results.architectures["redis"]
    assert causes_of({"redis": redis}) == ()
    assert more_losses("redis", redis).listed == ()


def test_a_loss_found_in_the_database_has_no_node(made_up: MadeUp) -> None:
    result = made_up.results.architectures["sticky-memory"]
    loss = msgspec.structs.replace(result.losses[0], kind="order_lost", node="")
    assert told_loss("sticky-memory", 0, msgspec.structs.replace(result, losses=(loss,))).sentence.endswith(
        "found in the database"
    )
