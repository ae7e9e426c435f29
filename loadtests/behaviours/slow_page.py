"""A slow page beside a quick click: an article is added while a page that began earlier is still being made."""

from collections.abc import Iterator

from loadtests.behaviours.workload import Behaviour, ShopperDraw, Step

CLICK_AFTER_MS = 100
# Later than the slow page takes (`slow_page_ms`, 400 by default), so that the look finds all that was written.
LOOK_AFTER_MS = 600


class SlowPage(Behaviour):
    """Ask for recommendations, add something before they come, look at the cart when they have."""

    name = "slow-page"
    sentence = "They open the slow page, add an article while it loads, and look at their cart when it is there."
    uses = frozenset({"linger", "add", "cart"})
    pace = 3.0

    def steps(self, draw: ShopperDraw) -> Iterator[Step]:
        when = draw.moments()
        yield Step(int(next(when)), "login")
        basket = draw.basket()
        busy_ms = 0  # rounds take time, which pushes all later ones back
        for at_ms in when:
            begin_ms = int(at_ms) + busy_ms
            yield Step(begin_ms, "linger")
            yield basket.add(begin_ms + CLICK_AFTER_MS)._replace(beside=True)
            yield Step(begin_ms + LOOK_AFTER_MS, "cart")
            busy_ms += LOOK_AFTER_MS
