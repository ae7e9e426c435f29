"""What took long and came, and what did not take long, or did not come, or was meant to."""

from __future__ import annotations

from typing import ClassVar

from loadtests.checks.stalled import Stalled
from tests.loadtests.checks.tally_contract import TallyContract, case
from tests.loadtests.stories import Story


class TestStalled(TallyContract):
    tally = Stalled
    counts: ClassVar = {
        "a read": case(Story().login().say("cart", took_ms=950, shows={})),
        "a write": case(Story().login().say("add", took_ms=2900, sku="tea", quantity=1)),
        "twice": case(Story().say("login", took_ms=1000).say("cart", took_ms=1000), events=2),
        "products too": case(Story().say("browse", took_ms=901)),
    }
    does_not: ClassVar = {
        "exactly at the bound": case(Story().login().say("cart", took_ms=900)),
        "it did not come": case(Story().login().say("cart", 0, took_ms=3000, error="timeout")),
        "an error after a while": case(Story().login().say("cart", 503, took_ms=1500)),
        "the slow page": case(Story().login().say("linger", took_ms=1500)),
        "an event stream": case(Story().login().say("watch", took_ms=8000)),
        "a recovery": case(Story().say("login", why="recovery", took_ms=1500)),
        "the audit": case(Story().login().say("me", why="audit", took_ms=1500)),
    }
