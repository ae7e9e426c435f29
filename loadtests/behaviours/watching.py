"""A live connection: the page with the order's progress stays open while its owner shops on."""

from collections.abc import Iterator

from loadtests.behaviours.workload import Behaviour, ShopperDraw, Step


class Watching(Behaviour):
    """One event stream for as long as the window lasts; dropped, it is opened again, as a browser does."""

    name = "watching"
    sentence = "They keep the page with their order's progress open, a live connection, and shop meanwhile."
    uses = frozenset({"watch"})
    may_leave = False

    def steps(self, draw: ShopperDraw) -> Iterator[Step]:
        for step in draw.shopping():
            yield step
            if step.do == "login":
                yield Step(step.at_ms, "watch")
