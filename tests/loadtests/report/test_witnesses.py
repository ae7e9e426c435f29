from __future__ import annotations

import msgspec

from loadtests.report.witnesses import KINDS, LISTED, TOLD, witnesses
from loadtests.results import LossKind
from tests.loadtests.report.conftest import MadeUp


def test_told_listed_and_left_out_are_all_losses(made_up: MadeUp) -> None:
    for name, result in made_up.results.architectures.items():
        shown = witnesses(name, result)
        assert len(shown.told) + len(shown.listed) + shown.left_out == len(result.losses)
        assert len(shown.listed) <= LISTED
        assert len({told.id for told in (*shown.told, *shown.listed)}) == len(shown.told) + len(shown.listed)


def test_different_causes_are_told_before_more_of_the_same(made_up: MadeUp) -> None:
    told = witnesses("roundrobin-memory", made_up.results.architectures["roundrobin-memory"]).told
    assert len(told) == TOLD
    assert {it.cause for it in told} == {"other node", "node killed", "session gone with login"}


def test_every_kind_of_loss_has_its_words() -> None:
    assert set(KINDS) == set(LossKind.__args__)


def test_no_loss_no_witness(made_up: MadeUp) -> None:
    shown = witnesses("redis", made_up.results.architectures["redis"])
    assert (shown.told, shown.listed, shown.total) == ((), (), 0)


def test_a_loss_found_in_the_database_has_no_node(made_up: MadeUp) -> None:
    result = made_up.results.architectures["sticky-memory"]
    loss = msgspec.structs.replace(result.losses[0], kind="order_lost", node="")
    (told,) = witnesses("sticky-memory", msgspec.structs.replace(result, losses=(loss,))).told
    assert told.sentence.endswith("found in the database")
