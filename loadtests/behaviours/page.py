"""A page of several requests: what a front end asks at once, each for itself, with whatever cookies there are."""

from collections.abc import Iterator

from loadtests.behaviours.workload import Behaviour, ShopperDraw, Step
from loadtests.model.history import Do

PARTS: tuple[Do, ...] = ("me", "cart", "orders", "cart")
"""What the page asks for."""
CLICK_AFTER_MS = 300  # so long after a page they add something: alone, so that it is not carts that are lost


class ShoppedPage(Behaviour):
    """Where pages are further apart than access tokens live, each page meets the end of one."""

    name = "page"
    sentence = f"They open pages that ask {len(PARTS)} things at once, each for itself; in between they add something."
    uses = frozenset({*PARTS, "add"})
    pace = float(len(PARTS) + 1)
    first_alone_ms = 0
    """How long the first request of a page is ahead of the others."""

    def steps(self, draw: ShopperDraw) -> Iterator[Step]:
        at_ms = int(next(draw.moments()))
        yield Step(at_ms, "login")
        basket = draw.basket()
        while True:
            # The mean pause at least, not one drawn around it: scenarios set it above the life of an access token.
            at_ms += int(draw.habits.think_ms) + draw.chance.randint(0, CLICK_AFTER_MS)
            yield Step(at_ms, PARTS[0])
            others_ms = at_ms + self.first_alone_ms
            # Where the first is alone, the second is not beside it: it waits until the first one was answered.
            yield from (Step(others_ms, do, beside=n > 0 or not self.first_alone_ms) for n, do in enumerate(PARTS[1:]))
            at_ms = others_ms + CLICK_AFTER_MS
            yield basket.add(at_ms)
