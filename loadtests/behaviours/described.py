"""What the users of somebody's own application do: whatever its description says how to ask."""

from collections.abc import Collection, Iterable, Iterator

from loadtests.behaviours.workload import Behaviour, ShopperDraw, Step
from loadtests.model.history import Do

WEIGHTS: dict[Do, float] = {"me": 2.0, "remember": 3.0, "add": 3.0, "recall": 3.0}
"""How often they do what, relative to each other, as far as it is described."""
# The share of the window after which each logs out once. What scenarios predict, they predict of people who stay.
STAYS = 0.88


class Described(Behaviour):
    """An application has it, and no scenario."""

    name = "described"
    sentence = "They log in, look who they are, and do whatever else the description says how to ask."
    uses = frozenset({"remember", "recall", "logout"})

    def __init__(self, asked: Iterable[Do]) -> None:
        self._asked = tuple(asked)
        self.sentence = _sentence(self._asked)
        self._mix = {do: WEIGHTS[do] for do in self._asked if do in WEIGHTS}

    def steps(self, draw: ShopperDraw) -> Iterator[Step]:
        when = draw.moments()
        yield Step(int(next(when)), "login")
        leaves = "logout" in self._asked
        values = 0
        for at_ms in when:
            # Drawn though a logout may take its place: who leaves must not change what is drawn after it.
            word: Do = draw.chance.choices(list(self._mix), list(self._mix.values()))[0]
            if leaves and at_ms >= STAYS * draw.window_ms:
                leaves = False
                yield Step(int(at_ms), "logout")
                yield Step(int(next(when)), "me", jar="stolen")
                yield Step(int(next(when)), "login")
            elif word in ("remember", "add"):
                values += 1  # none is remembered twice: which of two equal ones is shown, nobody could say
                yield Step(int(at_ms), word, f"v{values:03d}", 1)
            else:
                yield Step(int(at_ms), word)


def _sentence(asked: Collection[str]) -> str:
    """What is described, and nothing else."""
    told = {"remember": "have values remembered", "add": "have values remembered", "recall": "read them back"}
    does = ["log in", "look who they are", *(words for do, words in told.items() if do in asked)]
    leaves = (
        "; near the end they log out, somebody tries the cookies as they were before, and they log in again"
        if "logout" in asked
        else ""
    )
    return f"They {', '.join(does[:-1])} and {does[-1]}{leaves}."
