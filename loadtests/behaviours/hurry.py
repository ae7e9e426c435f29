"""Bursts: a script, or a person with a nervous finger; what rate limits are for."""

from collections.abc import Iterator

from loadtests.behaviours.workload import Behaviour, ShopperDraw, Step

BURST = 20
APART_MS = 10  # between two reads of a burst
PAUSES = 5  # mean pauses, between two bursts


class Hurry(Behaviour):
    """Only reads: what is refused is lost by nobody."""

    name = "hurry"
    sentence = "They look at their cart 20 times within a fifth of a second, pause, and do it again."
    uses = frozenset({"cart"})
    pace = BURST / PAUSES

    def steps(self, draw: ShopperDraw) -> Iterator[Step]:
        when = draw.moments(PAUSES)
        yield Step(int(next(when)), "login")
        busy_ms = 0  # bursts take time, which pushes all later ones back
        for at_ms in when:
            for number in range(BURST):
                yield Step(int(at_ms) + busy_ms + number * APART_MS, "cart")
            busy_ms += BURST * APART_MS
