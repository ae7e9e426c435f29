"""The table of causes is closed, and every cause in it can come out of a history."""

from __future__ import annotations

from loadtests.judging.causes import CAUSES
from tests.loadtests.stories import Story, losses, scene, stored

KILLED = Story().login("n2").add("tea", shows={"tea": 1}, node="n2").at(6).stranger().login(why="recovery").cart({})


def test_every_cause_is_found_somewhere() -> None:
    found = {
        *(loss.cause for loss in losses(KILLED.exchanges, scene(("n2", 5)))),
        *(loss.cause for loss in losses(Story().login("n1").stranger(node="n2").exchanges, scene())),
        *(loss.cause for loss in losses(Story().login("n1").stranger(node="n1").exchanges, scene())),
        *(loss.cause for loss in losses([stored("a", {}, request="r"), stored("b", {}, request="r")], scene())),
        *(
            loss.cause
            for loss in losses([stored("a", {}, request="r", key="k"), stored("b", {}, request="s", key="k")], scene())
        ),
    }
    assert found == set(CAUSES)


def test_a_cart_shown_by_another_node_of_a_shop_with_memory() -> None:
    told = Story().login("n1").add("tea", shows={"tea": 1}, node="n1").cart({}, node="n2")
    assert [loss.cause for loss in losses(told.exchanges, scene())] == ["other_node"]
    told = Story(architecture="redis").login("n1").add("tea", shows={"tea": 1}, node="n1").cart({}, node="n2")
    assert [loss.cause for loss in losses(told.exchanges, scene(architecture="redis"))] == ["unexplained"]


def test_sentences() -> None:
    assert all(sentence.endswith(".") for sentence in CAUSES.values())
