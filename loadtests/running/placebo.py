"""A placebo: everything of a fault but the break. It aims, reads who is at risk, looks and waits as the fault does.

A run with placebos shows what the looking and the waiting do by themselves, and how much of a measure comes from a busy
machine. Nothing of it is ever observed to happen, so such a run never counts as a test of the scenario's predictions.
"""

from __future__ import annotations

from compose.engines.contract import Cluster
from loadtests.faults import FAULTS, Evidence, Fault, Target
from loadtests.model.plan import Plan, PlannedFault
from loadtests.running.fault_run import FaultBounds

PLACEBO_BOUNDS = FaultBounds(observed_s=1.0, healed_s=1.0)
"""What does not happen is not seen either: the looking goes on for about as long as a fault takes to be seen."""
ABOUT = (
    "kind", "colour", "doing", "done", "sentence", "strikes", "takes_memory", "forgets", "stays", "needs_wires",
    "causes", "balancing", "grows", "rations", "cures", "button", "free_play", "looks",
)  # fmt: skip
"""What a placebo says of itself in its fault's words."""


class Placebo(Fault):
    """A fault whose `inject` and `heal` do nothing; it looks with the fault's own eyes."""

    def __init__(self, real: Fault) -> None:
        for name in ABOUT:
            # Copied to the instance: one class stands for all kinds, and a run asks these of whatever it carries out.
            setattr(self, name, getattr(real, name))
        self._real = real

    def nothing_there(self, cluster: Cluster) -> str:
        """Where the fault finds nothing to strike, its placebo finds nothing either."""
        return self._real.nothing_there(cluster)

    def inject(self, target: Target) -> None:
        """Nothing: that is the point."""

    def observe(self, target: Target) -> Evidence | None:
        """If this sees anything, something broke that nobody broke."""
        return self._real.observe(target)

    def heal(self, target: Target) -> None:
        """Nothing is broken."""

    def observe_healed(self, target: Target) -> Evidence | None:
        """As the fault looks."""
        return self._real.observe_healed(target)


def fault_for(planned: PlannedFault, plan: Plan, commanded: Fault | None = None) -> Fault:
    """What is carried out for a planned fault: its owner's commands if there are any, or the fault; or its placebo."""
    fault = commanded or FAULTS[planned.kind]
    # Around the owner's commands, too: their placebo looks with their eyes, and runs neither of the other two.
    return Placebo(fault) if plan.control == "placebo" else fault
