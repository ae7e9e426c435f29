"""A long pause: somebody goes to lunch in the middle of shopping, and comes back."""

from collections.abc import Iterator

from loadtests.behaviours.workload import Behaviour, ShopperDraw, Step

LEAVES_AT, BACK_AT = 0.35, 0.8  # of the window


class Idle(Behaviour):
    """What would have been done in the pause is not done."""

    name = "idle"
    sentence = "They shop, pause for nearly half of the window, and go on where they were."
    may_leave = False

    def steps(self, draw: ShopperDraw) -> Iterator[Step]:
        back_ms, returned = int(draw.window_ms * BACK_AT), False
        for step in draw.shopping():
            if step.do == "login" or step.at_ms < draw.window_ms * LEAVES_AT:
                yield step
            elif step.at_ms >= back_ms:
                if not returned:
                    returned = True
                    yield Step(step.at_ms, "cart")
                yield step
