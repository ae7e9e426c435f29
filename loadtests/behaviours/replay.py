"""A cookie is replayed after its owner logged out: somebody has copied it, or it was left on a public computer."""

from collections.abc import Iterator

from loadtests.behaviours.workload import Behaviour, ShopperDraw, Step, until

LEAVES_AT = 0.6  # of the window; what is left of it is for replaying
PROBES = 5


class Replay(Behaviour):
    """The copy is the one of the moment before the logout was sent: the logout itself could take its cookie away."""

    name = "replay"
    sentence = "They shop and log out; then a copy of their cookies, taken just before, is tried again and again."
    uses = frozenset({"logout", "me"})
    may_leave = False

    def steps(self, draw: ShopperDraw) -> Iterator[Step]:
        leaves_ms = int(draw.window_ms * LEAVES_AT)
        yield from until(leaves_ms, draw.shopping())
        leaves_ms = max(leaves_ms, draw.habits.login_within_ms)
        yield Step(leaves_ms, "logout")
        yield from draw.probes("stolen", leaves_ms, PROBES)
