"""Event streams that broke off."""

from __future__ import annotations

from typing import ClassVar

from loadtests.checks.streams_dropped import StreamsDropped
from tests.loadtests.checks.tally_contract import TallyContract, case
from tests.loadtests.stories import Story


class TestStreamsDropped(TallyContract):
    tally = StreamsDropped
    counts: ClassVar = {
        "broken off": case(Story().login().say("watch", dropped=True, took_ms=3000)),
        "twice": case(Story().login().say("watch", dropped=True).say("watch", why="recovery", dropped=True), events=2),
    }
    does_not: ClassVar = {
        "watched to the end": case(Story().login().say("watch", took_ms=3000)),
        "never opened": case(Story().login().say("watch", 503)),
        "a stranger": case(Story().login().say("watch", 401)),
    }
