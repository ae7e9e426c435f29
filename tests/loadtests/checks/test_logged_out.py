"""Who is answered as a stranger, and who only seems to be."""

from __future__ import annotations

from typing import ClassVar

from loadtests.checks.logged_out import LoggedOut
from tests.loadtests.checks.contract import CheckContract, case
from tests.loadtests.stories import Story, losses, scene


class TestLoggedOut(CheckContract):
    check = LoggedOut
    guilty: ClassVar = {
        "stranger right after the login": case(Story().login().stranger()),
        "stranger after the home was killed": case(
            Story().login("n2").cart({}, node="n2").at(6).stranger(node="n1"), at=scene(("n2", 5))
        ),
        "two 401s before the next login are one event": case(Story().login().stranger("cart").stranger("me")),
        "logged in again, and lost again": case(
            Story().login().stranger().login(why="recovery").cart({}).stranger(), times=2
        ),
        "found at the audit only": case(Story().login().stranger("me", why="audit")),
        "a logout is answered as a stranger's: the session was gone before": case(Story().login().logout(status=401)),
        "a write is answered as a stranger's": case(Story().login().add("tea", status=401)),
        "an unanswered login that a later answer proved": case(Story().login(status=503).cart({}).stranger()),
        "two shoppers": case(Story(1).login().stranger(), Story(2).login().stranger(), times=2),
        "errors in between change nothing": case(Story().login().cart(None, status=503).say("cart", 0).stranger()),
        "a refused logout leaves the login standing": case(Story().login().logout(status=403).stranger()),
        "an unknown logout that a later answer disproved": case(Story().login().logout(status=503).cart({}).stranger()),
    }
    innocent: ClassVar = {
        "never logged in": case(Story().stranger()),
        "wrong password": case(Story().login(status=401).stranger()),
        "an unanswered login": case(Story().login(status=503).stranger()),
        "after an acknowledged logout": case(Story().login().logout().stranger("me", why="audit")),
        "after a logout that may have happened": case(Story().login().logout(status=503).stranger()),
        "a second login is refused": case(Story().login().login(status=401).cart({})),
        "errors are not strangers": case(Story().login().cart(None, status=503).say("me", 0, error="timeout").cart({})),
        "not allowed, but known": case(Story().login().say("add", 403).cart({})),
        "products are for everybody": case(Story().login().browse("n2")),
        "404 for an unknown article": case(Story().login().add("nonsense", status=404)),
    }

    def test_killed_home_is_the_cause_and_stands_in_the_witness(self) -> None:
        told = Story().login("n2").cart({}, node="n2").at(6).stranger(node="n3")
        (loss,) = losses(told.exchanges, scene(("n2", 5)))
        assert (loss.cause, loss.node) == ("node_killed", "n3")
        assert [event.what.split(":")[0] for event in loss.witness] == [
            "asked to be logged in",
            "asked for the cart",
            "n2 killed (kill), and seen to be",
            "asked for the cart",
        ]
        assert loss.witness[-1].what == "asked for the cart: answered as a stranger (401)"

    def test_an_answer_that_overlaps_the_kill_does_not_hide_it(self) -> None:
        told = Story().login("n2").at(4.999).cart({}, node="n2").at(6).stranger(node="n3")
        (loss,) = losses(told.exchanges, scene(("n2", 5.0)))
        assert loss.cause == "node_killed"

    def test_an_answer_between_the_mark_and_the_blow_does_not_hide_it(self) -> None:
        told = Story().login("n2").at(5.005).cart({}, node="n2").at(6).stranger(node="n3")
        (loss,) = losses(told.exchanges, scene(("n2", 5.0)))
        assert loss.cause == "node_killed"

    def test_another_node_answered(self) -> None:
        (loss,) = losses(Story().login("n1").stranger(node="n3").exchanges, scene(("n2", 5)))
        assert loss.cause == "held_for_dead", "with affinity, nobody but the balancer sends them there"

    def test_home_answered_and_nothing_struck_it(self) -> None:
        (loss,) = losses(Story().login("n1").stranger(node="n1").exchanges, scene())
        assert loss.cause == "unexplained"

    def test_a_kill_that_nobody_saw_explains_nothing(self) -> None:
        told = Story().login("n2").at(6).stranger(node="n2")
        (loss,) = losses(told.exchanges, scene(("n2", 5), observed=False))
        assert loss.cause == "unexplained"

    def test_a_kill_before_the_login_explains_nothing(self) -> None:
        (loss,) = losses(Story().at(6).login("n2").stranger(node="n2").exchanges, scene(("n2", 5)))
        assert loss.cause == "unexplained"

    def test_a_killed_node_is_no_cause_where_nodes_remember_nothing(self) -> None:
        told = Story(architecture="redis").login("n2").at(6).stranger(node="n3")
        (loss,) = losses(told.exchanges, scene(("n2", 5), architecture="redis"))
        assert loss.cause == "unexplained"
