"""Somebody has copied the shopper's cookies and goes on with them, while the shopper shops on and knows nothing."""

from collections.abc import Iterator

from loadtests.behaviours.workload import Behaviour, ShopperDraw, Step, in_between

STEALS_AT, TRIES = 0.3, 8  # of the window; and how often the copy is used after that


class Thief(Behaviour):
    """The copy takes what cookies come: a thief keeps a session alive as its owner does."""

    name = "thief"
    sentence = f"They shop on, and somebody who copied all their cookies goes on with them, {TRIES} times."
    uses = frozenset({"read_cookie", "me"})
    pace = 1.5
    may_leave = False

    def steps(self, draw: ShopperDraw) -> Iterator[Step]:
        steals_ms = draw.at(STEALS_AT)
        copies = Step(steals_ms, "read_cookie", jar="thief")
        theirs = (copies, *draw.probes("thief", steals_ms, TRIES))
        return in_between(draw.shopping(), theirs)
