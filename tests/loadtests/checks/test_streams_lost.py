"""Whose live connection was lost, and who only had to open it again."""

from __future__ import annotations

from typing import ClassVar

from loadtests.checks.streams_lost import StreamsLost
from tests.loadtests.checks.tally_contract import TallyContract, case
from tests.loadtests.stories import Story, scene


class TestStreamsLost(TallyContract):
    tally = StreamsLost
    counts: ClassVar = {
        "a stranger on coming back": case(Story().login().say("watch", dropped=True).say("watch", 401, why="recovery")),
        "after an error in between": case(
            Story().login().say("watch", dropped=True).say("watch", 503).say("watch", 0).say("watch", 401)
        ),
        "sent just when it was dropped": case(
            Story().login().at(1).say("watch", dropped=True, took_ms=100).at(1.1).stranger("cart")
        ),
        "a stranger elsewhere": case(Story().login().say("watch", dropped=True).stranger("cart").say("watch")),
        "after dropping twice": case(
            Story().login().say("watch", dropped=True).say("watch", dropped=True).say("watch", 401)
        ),
        "lost twice": case(
            Story()
            .login()
            .say("watch", dropped=True)
            .say("watch", 401)
            .login(why="recovery")
            .say("watch", dropped=True)
            .say("watch", 401),
            events=2,
        ),
    }
    does_not: ClassVar = {
        "open again": case(Story().login().say("watch", dropped=True).say("watch")),
        "a stranger without a stream": case(Story().login().say("watch", 401)),
        "a stranger later on": case(Story().login().say("watch", dropped=True).say("watch").say("watch", 401)),
        "known elsewhere": case(Story().login().say("watch", dropped=True).cart({}).say("watch", 401)),
        "sent before the stream was dropped": case(
            Story()
            .login()
            .at(1)
            .say("watch", dropped=True, took_ms=2000)
            .at(2.9)
            .say("cart", 401, took_ms=300)
            .say("watch")
        ),
        "sent just before it was dropped": case(
            Story().login().at(1).say("watch", dropped=True, took_ms=100).at(1.099_999).stranger("cart").say("watch")
        ),
        "somebody else's cookies": case(
            Story().login().say("watch", dropped=True).probe("stolen", status=401).say("watch")
        ),
        "whose copy was dropped": case(Story().login().say("watch", dropped=True, jar="second").stranger("watch")),
        "logged in again first": case(Story().login().say("watch", dropped=True).login().say("watch", 401)),
        "logged out first": case(Story().login().say("watch", dropped=True).logout().say("watch", 401)),
        "products are for everybody": case(Story().login().say("watch", dropped=True).browse().say("watch")),
        "a wrong password": case(Story().login().say("watch", dropped=True).login(status=401).say("watch")),
    }

    def test_whose_stream_was_decided_about_is_not_followed_any_more(self) -> None:
        tally = StreamsLost(scene())
        told = Story().login().say("watch", dropped=True).say("watch", 401).exchanges
        for exchange, followed in zip(told, (False, True, False), strict=True):
            tally.saw(exchange)
            assert bool(tally.following) is followed
