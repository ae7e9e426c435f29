"""What the users of somebody's own application do: whatever its description says how to ask."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

from loadtests.behaviours.contract import Behaviour
from loadtests.behaviours.workload import Habits, Step, moments
from loadtests.model.history import Do

WEIGHTS: dict[Do, float] = {"me": 2.0, "remember": 3.0, "add": 3.0, "recall": 3.0, "logout": 0.3}
"""How often they do what, relative to each other, as far as it is described."""


class Described(Behaviour):
    """An application has it, and no scenario. No value is ever remembered twice."""

    name = "described"
    sentence = (
        "They log in, look who they are, have values remembered and read them back, log out, and log in again; as far "
        "as the application's description says how."
    )
    uses = frozenset({"remember", "recall", "logout"})

    def __init__(self, asked: Iterable[Do]) -> None:
        self._mix = {do: WEIGHTS[do] for do in asked if do in WEIGHTS}

    def steps(self, chance: Random, shopper: int, habits: Habits, window_ms: int) -> Iterator[Step]:
        """After a logout, somebody tries the cookies as they were before it; then the shopper logs in again."""
        when = moments(chance, shopper, habits)
        yield Step(int(next(when)), "login")
        values = 0
        for at_ms in when:
            word = chance.choices(list(self._mix), list(self._mix.values()))[0]
            if word in ("remember", "add"):
                values += 1
                yield Step(int(at_ms), "remember" if word == "remember" else "add", f"v{values:03d}", 1)
            elif word == "logout":
                yield Step(int(at_ms), "logout")
                yield Step(int(next(when)), "me", jar="stolen")
                yield Step(int(next(when)), "login")
            else:
                yield Step(int(at_ms), "recall" if word == "recall" else "me")
