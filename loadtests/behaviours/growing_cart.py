"""A cart that grows: so many made-to-order articles that a session kept in a cookie does not fit into one any more."""

from collections.abc import Iterator

from compose.applications import SHIPPED
from loadtests.behaviours.workload import Behaviour, ShopperDraw, Step

HASTE = 4  # times as fast as the scenario's pauses say: some 170 articles are needed to fill a cookie
LOOK_EACH = 20  # every so many steps is a look at the cart
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_LENGTH = 24


class GrowingCart(Behaviour):
    """One of each, and never the same twice."""

    name = "growing-cart"
    sentence = "They fill their carts with ever more articles made to order, and look at them in between."
    uses = frozenset({"add", "cart"})
    pace = float(HASTE)

    def steps(self, draw: ShopperDraw) -> Iterator[Step]:
        when = draw.moments(1 / HASTE)
        yield Step(int(next(when)), "login")
        for number, at_ms in enumerate(when, 1):
            if number % LOOK_EACH:
                # At random: Flask compresses what it signs, and of regular names four times as many would fit.
                name = "".join(draw.chance.choices(_LETTERS, k=_LENGTH))
                yield Step(int(at_ms), "add", f"{SHIPPED.interface.made_to_order}-{name}", 1)
            else:
                yield Step(int(at_ms), "cart")
