"""A planted session (session fixation): somebody opens an anonymous session and makes a shopper log in with it.

How the cookies come into the shopper's browser is not ours to show; that they are there is all that matters.
"""

from collections.abc import Iterator

from loadtests.behaviours.workload import Behaviour, ShopperDraw, Step, in_between

PROBES = 5


class Planted(Behaviour):
    """`arrive` opens the session; from then on the shopper's own jar is a copy of that one."""

    name = "planted"
    sentence = "They log in with a session that somebody else opened and planted, who then tries what it is good for."
    uses = frozenset({"arrive", "me"})
    may_leave = False

    def steps(self, draw: ShopperDraw) -> Iterator[Step]:
        probes_ms = [draw.window_ms * number // (PROBES + 1) for number in range(2, PROBES + 2)]
        # Before the login the planted session is a stranger's: to be told so would prove nothing.
        probes_ms = [at_ms for at_ms in probes_ms if at_ms > draw.habits.login_within_ms] or [draw.window_ms - 1]
        tries = [Step(at_ms, "me", jar="planted") for at_ms in probes_ms]
        for step in in_between(draw.shopping(), tries):
            if step.do == "login":
                yield Step(step.at_ms, "arrive", jar="planted")
            yield step
