"""A thief who is let in until the end, and one who was found out."""

from __future__ import annotations

from typing import ClassVar

from loadtests.checks.impersonated import Impersonated
from loadtests.model.history import Exchange
from loadtests.session_model.timeline import RunTimeline
from tests.loadtests.checks.contract import CheckContract, case
from tests.loadtests.session_model.accused import cause, where
from tests.loadtests.stories import Story


def robbed() -> Story:
    return Story().login().say("read_cookie", 0, jar="thief")


class TestImpersonated(CheckContract):
    check = Impersonated
    guilty: ClassVar = {
        "until the end": case(robbed().probe("thief").cart({}).probe("thief")),
        "once": case(robbed().probe("thief").cart({})),
        "again after a refusal": case(robbed().probe("thief", status=401).probe("thief").cart({})),
    }
    innocent: ClassVar = {
        "found out": case(robbed().probe("thief").probe("thief", status=401).cart({})),
        "taken for somebody else": case(robbed().probe("thief", user="user-0002").cart({})),
        "never tried": case(robbed().cart({})),
        "a second device": case(Story().login().probe("second", do="login").probe("second").cart({})),
    }


def gave_up(at: float) -> list[Exchange]:
    """An error, the client's own logout, and the answer to whoever has no cookies."""
    told = Story().login().at(2).say("cart", 503).at(at).say("forget_session", 0).at(4).stranger("me")
    return told.exchanges


def test_who_threw_the_session_away_is_named_wherever_it_lives() -> None:
    for name in ("sticky-memory", "replicated-memory", "signed-token", "redis", "token-denylist", "refresh-token"):
        place: RunTimeline = where(name)
        assert cause(gave_up(2.5), place) == "error_taken_for_logout", name


def test_a_login_since_is_another_session() -> None:
    told = Story().login().at(2).say("forget_session", 0).at(3).login().at(6).stranger("me")
    assert cause(told.exchanges, where("redis")) == "unexplained"
