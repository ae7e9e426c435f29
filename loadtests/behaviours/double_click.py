"""A double click on "order": the same checkout comes twice, the second before the first can be answered."""

from collections.abc import Iterator

from loadtests.behaviours.workload import Behaviour, ShopperDraw, Step

APART_MS = 30  # at most so much later is the second click


class DoubleClick(Behaviour):
    """A checkout beside another one has that one's idempotency key: it is the same form, sent twice."""

    name = "double-click"
    sentence = "They click twice when they order: the same checkout is sent again within 30 ms."
    uses = frozenset({"checkout"})
    pace = 1.5

    def steps(self, draw: ShopperDraw) -> Iterator[Step]:
        last_ms = 0
        for drawn in draw.shopping():
            # Where pauses are short the next step may have been drawn to lie between the two clicks.
            step = drawn._replace(at_ms=max(drawn.at_ms, last_ms))
            yield step
            last_ms = step.at_ms
            if step.do == "checkout":
                last_ms += draw.chance.randint(0, APART_MS)
                yield Step(last_ms, "checkout", beside=True)
