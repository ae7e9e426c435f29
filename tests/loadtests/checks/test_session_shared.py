"""Sessions that somebody planted: which of them became a login, and which did not."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from compose.cluster import Limits
from loadtests.checks.session_shared import SessionShared
from tests.loadtests.checks.contract import CheckContract, case
from tests.loadtests.stories import Story, losses, scene


def planted(shopper: int = 1) -> Story:
    return Story(shopper).say("arrive", jar="planted")


class TestSessionShared(CheckContract):
    check = SessionShared
    guilty: ClassVar = {
        "the planter is answered as the shopper": case(planted().login().probe("planted")),
        "again and again, it is one login": case(planted().login().probe("planted").probe("planted", "cart")),
        "after the next login again": case(
            planted().login().probe("planted").stranger().login(why="recovery").probe("planted"), times=2
        ),
        "a cart that names nobody": case(planted().login().probe("planted", "cart")),
        "the planter was refused a login": case(planted().login().say("login", 403, jar="planted").probe("planted")),
        "two shoppers": case(planted(1).login().probe("planted"), planted(2).login().probe("planted"), times=2),
    }
    innocent: ClassVar = {
        "a stranger still": case(planted().login().probe("planted", status=401)),
        "before the login": case(planted().probe("planted", status=401).login()),
        "errors": case(planted().login().probe("planted", status=503)),
        "the planter logs in": case(planted().login().say("login", jar="planted", user="user-0001").probe("planted")),
        "the planter may have logged in": case(planted().login().say("login", 503, jar="planted").probe("planted")),
        "somebody else's name": case(planted().login().probe("planted", user="user-0099")),
        "products are for everybody": case(planted().login().probe("planted", "browse")),
        "the shopper's login failed": case(planted().login(status=401).probe("planted")),
        "a copy, not a planted one": case(planted().login().probe("stolen")),
    }

    def test_the_witness_tells_who_opened_it_who_logged_in_and_who_was_let_in(self) -> None:
        at = msgspec.structs.replace(scene(architecture="redis"), limits=Limits(regenerate_at_login=False))
        (loss,) = losses(planted().login().probe("planted").exchanges, at)
        assert loss.cause == "fixation"
        assert [event.what for event in loss.witness] == [
            "whoever planted the session: came as a stranger: acknowledged (200)",
            "asked to be logged in: acknowledged (200)",
            "whoever planted the session: asked who it is: known as user-0001 (200)",
        ]
