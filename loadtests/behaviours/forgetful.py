"""The balancer's cookie gets lost: cleared by hand, blocked by the browser, or older than the browser keeps it."""

from collections.abc import Iterator

from loadtests.behaviours.workload import Behaviour, ShopperDraw, Step, in_between


class Forgetful(Behaviour):
    """The shop's own cookie stays."""

    name = "forgetful"
    sentence = "In the middle of the window their browsers lose the balancer's cookie, and they shop on."
    uses = frozenset({"forget_node"})

    def steps(self, draw: ShopperDraw) -> Iterator[Step]:
        return in_between(draw.shopping(), [Step(draw.at(1 / 2), "forget_node")])
