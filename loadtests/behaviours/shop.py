"""What shoppers do unless a scenario says otherwise: log in and shop."""

from collections.abc import Iterator

from loadtests.behaviours.workload import Behaviour, ShopperDraw, Step


class Shop(Behaviour):
    """Just shopping."""

    name = "shop"
    sentence = "They log in and shop: look around, fill and empty their carts, order."

    def steps(self, draw: ShopperDraw) -> Iterator[Step]:
        return draw.shopping()
