"""Two tabs at the end of an access token: one opens a slow page, the other asks something while it loads, or after."""

from collections.abc import Iterator

from loadtests.behaviours.workload import Behaviour, ShopperDraw, Step

# At most so much later is the second tab, each moment as likely: twice what the slow page takes, so that half of the
# pairs overlap, and half do not.
WITHIN_MS = 800


class TabsApart(Behaviour):
    """The slow page (`slow_page_ms`) is the round trip: until its answer is there, the other tab has the old tokens."""

    name = "tabs-apart"
    sentence = f"They open the slow page once, and ask something in a second tab within {WITHIN_MS} ms, at any moment."
    uses = frozenset({"linger", "me"})
    may_leave = False

    def steps(self, draw: ShopperDraw) -> Iterator[Step]:
        at_ms = int(next(draw.moments()))
        yield Step(at_ms, "login")
        at_ms += int(draw.habits.think_ms)
        yield Step(at_ms, "linger")
        yield Step(at_ms + draw.chance.randint(1, WITHIN_MS), "me", beside=True)
        yield Step(at_ms + WITHIN_MS + int(draw.habits.think_ms), "me")
