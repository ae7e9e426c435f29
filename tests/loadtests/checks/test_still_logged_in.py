"""Sessions that outlive their end, and those that were not over, or are somebody else's."""

from __future__ import annotations

from typing import ClassVar

from loadtests.checks.still_logged_in import StillLoggedIn
from tests.loadtests.checks.contract import CheckContract, case
from tests.loadtests.stories import Story, losses, scene


def two_devices(shopper: int = 1) -> Story:
    return Story(shopper).login().say("login", jar="second", user=f"user-{shopper:04d}")


def sent_before_the_answer() -> Story:
    """The copy is used while the logout is still on its way: whichever came first, nobody can tell."""
    told = Story().login().at(5).say("logout", took_ms=400)
    return told.at(5.2).say("me", jar="stolen", user="user-0001", took_ms=500)


class TestStillLoggedIn(CheckContract):
    check = StillLoggedIn
    guilty: ClassVar = {
        "a copy is good after the logout": case(Story().login().logout().probe("stolen")),
        "tried again and again, it is one event": case(
            Story().login().logout().probe("stolen").probe("stolen").probe("stolen", "cart")
        ),
        "an answer that names nobody": case(Story().login().logout().probe("stolen", "orders")),
        "two logouts, each with its copy": case(
            Story().login().logout().probe("stolen").login(why="recovery").logout().probe("stolen"), times=2
        ),
        "two shoppers": case(
            Story(1).login().logout().probe("stolen"), Story(2).login().logout().probe("stolen"), times=2
        ),
        "refused by one node and taken by the next": case(
            Story().login().logout().probe("stolen", status=401).probe("stolen", node="n2")
        ),
        "sent just after the answer to the logout": case(Story().login().at(5).logout().at(5.010_001).probe("stolen")),
        "logged in just when the logout was sent": case(Story().login().at(0.01).logout().probe("stolen")),
        "a device that logged in just when the logout everywhere was sent": case(
            Story().login().say("login", jar="second").at(0.11).say("logout_everywhere").probe("second")
        ),
        "a copy after a logout everywhere": case(Story().login().say("logout_everywhere").probe("stolen")),
        "another device after a logout everywhere": case(two_devices().say("logout_everywhere").probe("second")),
        "an involuntary logout before does not make the copy good": case(
            Story().login().stranger().login(why="recovery").logout().probe("stolen")
        ),
    }
    innocent: ClassVar = {
        "refused": case(Story().login().logout().probe("stolen", status=401)),
        "before the logout": case(Story().login().probe("stolen").logout()),
        "sent just when that was answered": case(Story().login().at(5).logout().at(5.01).probe("stolen")),
        "a device that logged in while the logout everywhere was on its way": case(
            Story().login().say("login", jar="second").at(0.109_999).say("logout_everywhere").probe("second")
        ),
        "a logout everywhere of the thief": case(
            Story().login().say("logout_everywhere", jar="second").probe("stolen")
        ),
        "a device whose login was refused": case(
            Story().login().say("login", 403, jar="second").say("logout_everywhere").probe("second")
        ),
        "a thief": case(Story().login().logout().probe("thief")),
        "sent before the logout was acknowledged": case(sent_before_the_answer()),
        "a logout that may have happened": case(Story().login().logout(status=503).probe("stolen")),
        "a logout that was refused": case(Story().login().logout(status=403).probe("stolen")),
        "a second logout of which nobody knows": case(
            Story().login().logout().login(why="recovery").logout(status=503).probe("stolen")
        ),
        "errors": case(Story().login().logout().probe("stolen", status=503).probe("stolen", status=0)),
        "products are for everybody": case(Story().login().logout().probe("stolen", "browse")),
        "somebody else's name": case(Story().login().logout().probe("stolen", user="user-0099")),
        "the other device after an ordinary logout": case(two_devices().logout().probe("second")),
        "the other device logs in again": case(
            two_devices().say("logout_everywhere").say("login", jar="second", user="user-0001").probe("second")
        ),
        "the other device may have logged in again": case(
            two_devices().say("logout_everywhere").say("login", 503, jar="second").probe("second")
        ),
        "a device of which no login is known": case(Story().login().say("logout_everywhere").probe("second")),
        "the shopper's own jar, logged in again": case(Story().login().logout().login(why="recovery").me({})),
    }

    def test_the_witness_tells_the_login_its_end_and_who_was_let_in(self) -> None:
        told = Story(architecture="signed-token").login("n1").logout().probe("stolen", node="n2")
        (loss,) = losses(told.exchanges, scene(architecture="signed-token"))
        assert (loss.cause, loss.node) == ("not_revoked", "n2")
        assert [event.what for event in loss.witness] == [
            "asked to be logged in: acknowledged (200)",
            "asked to be logged out: acknowledged (200)",
            "with a copy of the cookies: asked who it is: known as user-0001 (200)",
        ]

    def test_a_login_of_another_device_that_was_refused_changes_nothing(self) -> None:
        told = two_devices().say("login", 403, jar="second").say("logout_everywhere").probe("second")
        assert [loss.kind for loss in losses(told.exchanges, scene())] == ["still_logged_in"]

    def test_a_login_that_came_after_the_logout_was_sent_is_not_told(self) -> None:
        told = Story().login().at(0.009).logout().at(1).probe("stolen")
        (loss,) = losses(told.exchanges, scene())
        assert next(event.what for event in loss.witness).startswith("asked to be logged out")

    def test_one_that_was_answered_at_that_very_moment_is_told(self) -> None:
        told = Story().login().at(0.010).logout().at(1).probe("stolen")
        (loss,) = losses(told.exchanges, scene())
        assert next(event.what for event in loss.witness).startswith("asked to be logged in")

    def test_probes_are_nobodys_memory(self) -> None:
        """What is asked with other cookies neither loses nor proves anything of the shopper's own."""
        told = Story().login().add("tea", shows={"tea": 1}).probe("second", "cart").probe("planted", status=401)
        told.say("cart", jar="stolen", shows={}).say("me", jar="second", user="user-0099").cart({"tea": 1})
        assert losses(told.exchanges, scene()) == ()
