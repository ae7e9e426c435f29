"""A logout beside a request that is still on its way: the slow page was opened before, and is answered after it."""

from collections.abc import Iterator

from loadtests.behaviours.workload import Behaviour, ShopperDraw, Step, until

LEAVES_AT, CLICK_AFTER_MS, PROBES = 0.6, 150, 5


class LeaveInFlight(Behaviour):
    """The copy that is tried afterwards is the one of the moment before the logout."""

    name = "leave-in-flight"
    sentence = "They log out while a slow page of theirs is still loading; then a copy of their cookies is tried."
    uses = frozenset({"linger", "logout", "me"})
    may_leave = False

    def steps(self, draw: ShopperDraw) -> Iterator[Step]:
        leaves_ms = draw.at(LEAVES_AT)
        yield from until(leaves_ms, draw.shopping())
        yield Step(leaves_ms, "linger")
        yield Step(leaves_ms + CLICK_AFTER_MS, "logout", beside=True)
        # Only when the slow page is there too (`slow_page_ms`, 400 by default): what it writes back, it writes by then.
        first_ms = leaves_ms + 4 * CLICK_AFTER_MS
        for number in range(PROBES):
            yield Step(first_ms + (draw.window_ms - first_ms) * number // PROBES, "me", jar="stolen")
