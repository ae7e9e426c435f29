"""Somebody looks at a shopper's cookies: on a shared computer, in a log, in a browser's extension."""

from collections.abc import Iterator

from loadtests.behaviours.workload import Behaviour, ShopperDraw, Step, in_between


class Overlooked(Behaviour):
    """Nothing is asked of the shop for it, so the shop cannot notice."""

    name = "overlooked"
    sentence = "In the middle of the window somebody copies their cookies and reads what can be read without a key."
    uses = frozenset({"read_cookie"})

    def steps(self, draw: ShopperDraw) -> Iterator[Step]:
        return in_between(draw.shopping(), [Step(draw.at(1 / 2), "read_cookie", jar="stolen")])
