"""Sessions that nobody ever comes back to: what a shop collects in weeks, in some seconds."""

from collections.abc import Iterator

from loadtests.behaviours.workload import Behaviour, ShopperDraw, Step

ADDS = 3  # in each session, before it is abandoned


class Abandon(Behaviour):
    """A later planned login begins with an empty jar: the same account, another visit, another session."""

    name = "abandon"
    sentence = "They log in, add a few articles, are never seen again, and come back as if for the first time."
    uses = frozenset({"login", "add"})
    may_leave = False

    def steps(self, draw: ShopperDraw) -> Iterator[Step]:
        for number, at_ms in enumerate(draw.moments()):
            if number % (ADDS + 1) == 0:
                basket = draw.basket()  # the cart of the session before is out of their reach
                yield Step(int(at_ms), "login")
            else:
                yield basket.add(int(at_ms))
