"""Whose live connection was lost, and who only had to open it again."""

from __future__ import annotations

from typing import ClassVar

from loadtests.checks.streams_lost import StreamsLost
from tests.loadtests.checks.tally_contract import TallyContract, case
from tests.loadtests.stories import Story


class TestStreamsLost(TallyContract):
    tally = StreamsLost
    counts: ClassVar = {
        "a stranger on coming back": case(Story().login().say("watch", dropped=True).say("watch", 401, why="recovery")),
        "after an error in between": case(
            Story().login().say("watch", dropped=True).say("watch", 503).say("watch", 0).say("watch", 401)
        ),
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
        "a stranger elsewhere": case(Story().login().say("watch", dropped=True).stranger("cart").say("watch")),
    }
