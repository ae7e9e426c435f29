from __future__ import annotations

import msgspec

from loadtests.checks import CHECKS
from loadtests.report.witnesses import LISTED, witnesses
from tests.loadtests.report.conftest import MadeUp


def test_told_listed_and_left_out_are_all_losses(made_up: MadeUp) -> None:
    for name, result in made_up.results.architectures.items():
        shown = witnesses(name, result)
        assert len(shown.told) + len(shown.listed) + shown.left_out == len(result.losses)
        assert len(shown.listed) <= LISTED
        assert len({told.id for told in (*shown.told, *shown.listed)}) == len(shown.told) + len(shown.listed)


def test_every_loss_is_counted_once_in_the_tree(made_up: MadeUp) -> None:
    for name, result in made_up.results.architectures.items():
        shown = witnesses(name, result)
        assert sum(limb.count for limb in shown.tree) == len(result.losses)
        for limb in shown.tree:
            kinds = {branch.first.loss.kind for branch in limb.branches}
            assert [CHECKS[kind].plural for kind in kinds] == [limb.name]
            assert sum(branch.count for branch in limb.branches) == limb.count
            for branch in limb.branches:
                same = [it for it in result.losses if (it.kind, it.cause) == (*kinds, branch.first.loss.cause)]
                assert (branch.first.loss, branch.count) == (same[0], len(same))


def test_each_cause_of_a_kind_has_its_branch(made_up: MadeUp) -> None:
    shown = witnesses("roundrobin-memory", made_up.results.architectures["roundrobin-memory"])
    out, *_ = shown.tree
    assert out.name == "logouts"
    assert [branch.first.cause for branch in out.branches] == ["other node", "node killed"]
    assert [branch.count for branch in out.branches] == sorted((branch.count for branch in out.branches), reverse=True)


def test_no_loss_no_witness(made_up: MadeUp) -> None:
    shown = witnesses("redis", made_up.results.architectures["redis"])
    assert (shown.tree, shown.listed, shown.total) == ((), (), 0)


def test_a_loss_found_in_the_database_has_no_node(made_up: MadeUp) -> None:
    result = made_up.results.architectures["sticky-memory"]
    loss = msgspec.structs.replace(result.losses[0], kind="order_lost", node="")
    (told,) = witnesses("sticky-memory", msgspec.structs.replace(result, losses=(loss,))).told
    assert told.sentence.endswith("found in the database")
