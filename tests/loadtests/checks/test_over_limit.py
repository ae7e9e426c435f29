"""More let through than one counter could have, and bursts that a fixed window rightly lets through."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from compose.cluster import Limits
from loadtests.checks.over_limit import OverLimit
from loadtests.session_model.timeline import RunTimeline
from tests.loadtests.checks.tally_contract import TallyContract, case
from tests.loadtests.stories import Story, scene


def limited(rate: str = "5 per second") -> RunTimeline:
    return msgspec.structs.replace(scene(), limits=Limits(rate_limit=rate))


def burst(requests: int, at_s: float = 1.0, apart_ms: float = 10, shopper: int = 1, status: int = 200) -> Story:
    """Looks at the cart, one after the other, each answered within 5 ms."""
    told = Story(shopper)
    for number in range(requests):
        told.at(at_s + number * apart_ms / 1000).say("cart", status, took_ms=5)
    return told


class TestOverLimit(TallyContract):
    tally = OverLimit
    counts: ClassVar = {
        "three times the limit": case(burst(15), at=limited(), events=5),
        "one beyond two windows": case(burst(11), at=limited()),
        "two bursts": case(burst(12), burst(12, at_s=3), at=limited(), events=4),
        "two shoppers": case(burst(11), burst(11, shopper=2), at=limited(), shoppers=2, events=2),
        "a longer window": case(burst(61, apart_ms=900), at=limited("30 per minute")),
        "one a window after the first, and one just before that": case(
            burst(10),
            Story().at(1.99).say("cart", took_ms=9.999),
            Story().at(1.991).say("cart", took_ms=9),
            burst(9, at_s=2.01),
            at=limited(),
        ),
        "sent just when the window began": case(burst(1), burst(10), at=limited()),
        "refused ones in between": case(burst(11), burst(5, status=429), at=limited()),
    }
    does_not: ClassVar = {
        "a window's end and the next one's beginning": case(burst(10), at=limited()),
        "the last one was answered when a window was over": case(
            burst(10), Story().at(1.99).say("cart", took_ms=10), burst(9, at_s=2.01), at=limited()
        ),
        "refused ones": case(burst(5), burst(30, status=429), at=limited()),
        "without a limit": case(burst(60)),
        "spread over more than a window": case(burst(40, apart_ms=105), at=limited()),
        "what was sent before may have been counted before": case(
            burst(10, at_s=1.0), Story().at(0.5).say("cart", took_ms=700), Story().at(0.4).say("cart", took_ms=900),
            at=limited(),
        ),
        "products may be asked for by strangers": case(
            *(Story().at(1 + number / 100).browse() for number in range(20)), at=limited()
        ),
        "each shopper has a limit of its own": case(*(burst(10, shopper=it) for it in range(1, 5)), at=limited()),
    }  # fmt: skip
