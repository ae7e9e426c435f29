"""Who asks too much."""

from __future__ import annotations

from typing import ClassVar

from loadtests.checks.rate_limited import RateLimited
from tests.loadtests.checks.tally_contract import TallyContract, case
from tests.loadtests.stories import Story


class TestRateLimited(TallyContract):
    tally = RateLimited
    counts: ClassVar = {
        "429": case(Story().login().say("cart", 429)),
        "also at login": case(Story().say("login", 429).say("browse", 429), events=2),
    }
    does_not: ClassVar = {
        "any other refusal": case(Story().login().say("cart", 503).say("add", 404).stranger()),
    }
