"""The contract of a behaviour: what each shopper of a plan does, drawn from its own source of chance.

A behaviour makes steps, before anything is started; it knows nothing of architectures, answers or time as it passes.
What a step does on the wire is for `loadtests.load` to know.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from random import Random

from loadtests.behaviours.workload import Habits, Step
from loadtests.model.history import Do


class Behaviour(ABC):
    """One way to shop."""

    name: str
    """What a scenario calls it: `behaviour = "two-tabs"`."""
    sentence: str
    """One sentence for a person: what these shoppers do."""
    uses: frozenset[Do] = frozenset()
    """What they do beside logging in and what the scenario's mix has."""
    pace: float = 1.0
    """Planned actions for each mean pause of the scenario."""
    gives_up: bool = False
    """Their client takes any error of the shop for a logout."""
    may_leave: bool = True
    """Some of them may log out as their last action (`load.leavers`): it would not spoil what the behaviour shows."""

    @abstractmethod
    def steps(self, chance: Random, shopper: int, habits: Habits, window_ms: int) -> Iterable[Step]:
        """The steps, in order of time; what lies beyond the window is cut off.

        The first one of jar `main` is a login. What is `beside` has a step of the same jar before it.
        """
