"""Logging out everywhere: what somebody does who has lost a device, or was told to change a password."""

from collections.abc import Iterator

from loadtests.behaviours.workload import Behaviour, ShopperDraw, Step, until

LEAVES_AT = 0.6  # of the window; what is left of it is for trying the second device
PROBES = 5


class Everywhere(Behaviour):
    """Two devices, one account; the second one only looks, so that whatever is in a cart was put there by the first."""

    name = "everywhere"
    sentence = "They use a second device, log out everywhere on the first, and the second is tried again and again."
    uses = frozenset({"logout_everywhere", "me", "cart"})
    may_leave = False

    def steps(self, draw: ShopperDraw) -> Iterator[Step]:
        leaves_ms = draw.at(LEAVES_AT)
        for step in until(leaves_ms, draw.shopping()):
            yield step
            if step.do == "login":
                yield Step(step.at_ms, "login", jar="second")
            elif step.do == "add":
                # At the same moment, and still after it: a step of another jar waits for the one before like any other.
                yield Step(step.at_ms, draw.chance.choice(("cart", "me")), jar="second")
        yield Step(leaves_ms, "logout_everywhere")
        yield from draw.probes("second", leaves_ms, PROBES)
