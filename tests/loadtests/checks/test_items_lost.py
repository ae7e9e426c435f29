"""Something acknowledged is missing, and something else is there."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from loadtests.checks.items_lost import ItemsLost
from tests.loadtests.checks.contract import CheckContract, case
from tests.loadtests.stories import Story, losses, scene, stored

BOTH = {"tea": 2, "mug": 1}


def with_both() -> Story:
    return Story().login().add("tea", 2, shows={"tea": 2}).add("mug", shows=BOTH)


class TestItemsLost(CheckContract):
    check = ItemsLost
    guilty: ClassVar = {
        "one article is missing": case(with_both().cart({"tea": 2})),
        "fewer of one article": case(with_both().cart({"tea": 1, "mug": 1})),
        "an add overwrote another": case(with_both().add("pen", shows={"tea": 2, "pen": 1})),
        "the add itself is not shown": case(Story().login().add("tea", shows={"tea": 1}).add("mug", shows={"tea": 1})),
        "the add itself is not shown, and there was nothing else": case(Story().login().add("mug", shows={})),
        "missing in every possible cart": case(with_both().add("pen", status=503).cart({"tea": 2})),
        "missing and something else is back": case(with_both().remove("tea", shows={"mug": 1}).cart({"tea": 2})),
        "lost twice": case(with_both().cart({"tea": 2}).cart({"tea": 1}), times=2),
        "the order holds less than the cart": case(
            told := with_both().checkout("o1"), stored("o1", {"tea": 2}, request=told.last.request)
        ),
    }
    innocent: ClassVar = {
        "all there": case(with_both().cart(BOTH)),
        "in another order": case(with_both().cart({"mug": 1, "tea": 2})),
        "everything is gone: that is a lost cart": case(with_both().cart({})),
        "an unknown removal that happened": case(with_both().remove("mug", status=503).cart({"tea": 2})),
        "an unknown removal that did not": case(with_both().remove("mug", status=503).cart(BOTH)),
        "an unknown add that did not happen": case(with_both().add("pen", status=503).cart(BOTH)),
        "counted once": case(with_both().logout().login().add("tea", shows={"tea": 1}).cart({"tea": 1})),
        "the order holds the cart": case(
            told := with_both().checkout("o1"), stored("o1", BOTH, request=told.last.request)
        ),
        "the order of a cart that nobody was sure of": case(
            told := with_both().add("pen", status=503).checkout("o1"), stored("o1", BOTH, request=told.last.request)
        ),
        "the database was never read": case(with_both().checkout("o1"), at=scene(finished=False)),
    }

    def test_what_is_missing_is_counted_in_units(self) -> None:
        (loss,) = losses(with_both().cart({"mug": 1}).exchanges, scene())
        assert (loss.items, loss.cause) == (2, "unexplained")

    def test_an_unknown_add_is_not_counted_as_missing(self) -> None:
        (loss,) = losses(with_both().add("pen", 7, status=503).cart({"tea": 2}).exchanges, scene())
        assert loss.items == 1

    def test_a_short_order_is_blamed_on_the_write_that_overlapped_another_before_it(self) -> None:
        for overlapped, cause in ((True, "overlapping_write"), (False, "unexplained")):
            told = with_both()
            told.exchanges[-1] = msgspec.structs.replace(told.last, overlapped=overlapped)
            told.checkout("o1")
            (loss,) = losses([*told.exchanges, stored("o1", {"tea": 2}, request=told.last.request)], scene())
            assert (loss.kind, loss.items, loss.cause) == ("items_lost", 1, cause)
            assert bool(loss.counterfactual) is overlapped
