"""An acknowledged cart is shown empty."""

from __future__ import annotations

from typing import ClassVar

from loadtests.checks.cart_lost import CartLost
from tests.loadtests.checks.contract import CheckContract, case
from tests.loadtests.stories import Story, losses, scene, stored

TEA = {"tea": 2}


def with_tea() -> Story:
    return Story().login("n2").add("tea", 2, shows=TEA, node="n2")


CHECKED_OUT = with_tea().checkout(status=503).cart({})
ORDERED = stored("o1", TEA, request=CHECKED_OUT.exchanges[2].request)


class TestCartLost(CheckContract):
    check = CartLost
    guilty: ClassVar = {
        "empty without a logout": case(with_tea().cart({})),
        "empty after a lost login": case(
            with_tea().at(6).stranger().login(why="recovery").cart({}), at=scene(("n2", 5))
        ),
        "empty but for what was just added": case(
            with_tea().stranger().login(why="recovery").add("mug", shows={"mug": 1})
        ),
        "empty but for more of the same": case(
            with_tea().stranger().login(why="recovery").add("tea", shows={"tea": 1})
        ),
        "removing one of two shows nothing": case(
            with_tea().add("mug", shows={"tea": 2, "mug": 1}).stranger().login().remove("mug", shows={})
        ),
        "the shop refuses to order an empty cart": case(with_tea().stranger().login().checkout(status=400)),
        "every possible cart had something in it": case(with_tea().add("mug", status=503).cart({})),
        "shown at the audit only": case(with_tea().audit({})),
        "what was shown instead is believed: counted once": case(
            with_tea().stranger().login().add("mug", shows={"mug": 1}).cart({"mug": 1})
        ),
        "an unknown checkout that made no order": case(CHECKED_OUT),
        "lost twice": case(with_tea().cart({}).add("tea", 2, shows=TEA).cart({}), times=2),
    }
    innocent: ClassVar = {
        "kept": case(with_tea().cart(TEA)),
        "only what was just added is missing": case(Story().login().add("mug", shows={})),
        "kept over a flicker": case(with_tea().stranger().login().cart(TEA)),
        "ordered": case(with_tea().checkout("o1").cart({})),
        "an unknown checkout that happened": case(CHECKED_OUT, ORDERED),
        "taken out": case(with_tea().remove("tea", shows={}).cart({})),
        "an unknown removal that happened": case(with_tea().remove("tea", status=0).cart({})),
        "given up with a logout": case(with_tea().logout().login().cart({})),
        "given up with an unknown logout": case(with_tea().logout(status=503).login().cart({})),
        "only an unknown add": case(Story().login().add("tea", status=503).cart({})),
        "logged out before anything was in it": case(Story().login().stranger().login().cart({})),
        "a refused add": case(Story().login().add("tea", 100, status=400).cart({})),
        "not empty: items are missing": case(with_tea().add("mug", shows={"tea": 2, "mug": 1}).cart({"mug": 1})),
        "somebody else's cart": case(with_tea().me({}, user="user-0002")),
        "an empty cart where nobody can know": case(with_tea().me({}, user="user-0002").me({})),
        "the answer that shows it is not an answer": case(with_tea().cart(None, status=503).cart(TEA)),
    }

    def test_after_a_lost_login_the_session_is_the_cause(self) -> None:
        told = with_tea().at(6).stranger(node="n1").login("n1", why="recovery").cart({})
        found = {loss.kind: loss for loss in losses(told.exchanges, scene(("n2", 5)))}
        loss = found["cart_lost"]
        assert (loss.cause, loss.items, found["logged_out"].cause) == ("session_gone_with_login", 2, "node_killed")
        assert "the cart shown holds 2 tea" in " ".join(event.what for event in loss.witness)
        assert loss.witness[-1].what == "asked for the cart: the cart shown holds nothing (200)"

    def test_without_one_it_is_unexplained(self) -> None:
        (loss,) = losses(with_tea().cart({}, node="n2").exchanges, scene())
        assert loss.cause == "unexplained"

    def test_the_least_that_is_surely_lost_is_counted(self) -> None:
        (loss,) = losses(with_tea().add("mug", 5, status=503).cart({}, node="n2").exchanges, scene())
        assert loss.items == 2
