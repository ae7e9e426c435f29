"""Something is back, or there is more than was ever put there."""

from __future__ import annotations

from typing import ClassVar

from loadtests.checks.cart_rolled_back import CartRolledBack
from tests.loadtests.checks.contract import CheckContract, case
from tests.loadtests.stories import Story, losses, scene


def taken_out() -> Story:
    return Story().login().add("tea", 2, shows={"tea": 2}).remove("tea", shows={})


class TestCartRolledBack(CheckContract):
    check = CartRolledBack
    guilty: ClassVar = {
        "a removed article is back": case(taken_out().cart({"tea": 2})),
        "what was ordered is back": case(Story().login().add("tea", shows={"tea": 1}).checkout("o1").cart({"tea": 1})),
        "more than was put there": case(Story().login().add("tea", shows={"tea": 1}).cart({"tea": 2})),
        "an add counted twice": case(Story().login().add("tea", shows={"tea": 2})),
        "back after a logout": case(Story().login().add("tea", shows={"tea": 1}).logout().login().cart({"tea": 1})),
        "one is back while another is missing": case(taken_out().add("mug", shows={"mug": 1}).cart({"tea": 2})),
        "something that nobody ever put there": case(Story().login().cart({"pen": 1})),
        "more than an unknown add explains": case(Story().login().add("tea", status=503).cart({"tea": 2})),
        "more than a late add explains": case(Story().login().add("tea", status=0).cart({}).cart({"tea": 2})),
        "a late add is late once": case(
            Story().login().add("tea", status=0).cart({}).cart({"tea": 1}).cart({"tea": 2})
        ),
        "an add that was refused by the balancer does not come late": case(
            Story().login().add("tea", status=503).cart({}).cart({"tea": 1})
        ),
    }
    innocent: ClassVar = {
        "stays out": case(taken_out().cart({})),
        "put there again": case(taken_out().add("tea", shows={"tea": 1}).cart({"tea": 1})),
        "an unknown add that happened": case(taken_out().add("tea", 2, status=503).cart({"tea": 2})),
        "an unknown removal that did not happen": case(
            Story().login().add("tea", shows={"tea": 1}).remove("tea", status=503).cart({"tea": 1})
        ),
        "an unknown checkout that did not happen": case(
            Story().login().add("tea", shows={"tea": 1}).checkout(status=503).cart({"tea": 1})
        ),
        "an add that nobody answered comes late": case(Story().login().add("tea", status=0).cart({}).cart({"tea": 1})),
        "items missing, nothing back": case(Story().login().add("tea", 2, shows={"tea": 2}).cart({"tea": 1})),
        "counted once": case(Story().login().logout().login().browse().cart({}).cart({})),
    }

    def test_what_is_back_is_counted_in_units(self) -> None:
        (loss,) = losses(taken_out().cart({"tea": 2}).exchanges, scene())
        assert (loss.items, loss.kind) == (2, "cart_rolled_back")
