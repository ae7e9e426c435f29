"""What is carried out in the place of a fault's own file: commands of an application's owner, or a placebo."""

import os
import subprocess
import time
from collections.abc import Sequence

from compose.applications.described import run_within
from compose.description import Description, FaultCommands
from compose.engines.running import RunningCluster
from loadtests.faults import FAULTS, Evidence, FaultSteps, Target
from loadtests.model.plan import Plan, PlannedFault
from loadtests.running.fault_run import FaultBounds

LOOK_EVERY_S = 0.3
LOOK_WITHIN_S = 5.0
PLACEBO_BOUNDS = FaultBounds(observed_s=1.0, healed_s=1.0)
"""What does not happen is not seen either: the looking goes on for about as long as a fault takes to be seen."""


class CommandedFault(FaultSteps):
    """A fault that is carried out by commands of an application's owner.

    The law is the same as for every fault: what was not observed did not happen. A command says yes by its exit code 0.
    What it prints is nobody's business here: it may hold secrets, so it is neither kept nor shown.
    """

    def __init__(self, commands: FaultCommands, folder: str) -> None:
        self._commands = commands
        self._folder = folder
        self._looked_at_s = 0.0

    def inject(self, target: Target) -> None:
        """Run it. Whether it did anything is for `observe` to say."""
        if isinstance(target.cluster, RunningCluster):
            # Before the command, which may be interrupted halfway: nothing else would mend what runs without us.
            target.cluster.mend.append(self._heal)
        self._run(self._commands.inject, self._commands.within_s)

    def observe(self, target: Target) -> Evidence | None:
        """What its own command says."""
        return self._look(self._commands.observe)

    def heal(self, target: Target) -> None:
        """Run it."""
        self._heal()

    def observe_healed(self, target: Target) -> Evidence | None:
        """What its own command says; then nothing is left to be mended."""
        seen = self._look(self._commands.observe_healed)
        if seen and isinstance(target.cluster, RunningCluster):
            target.cluster.mend.clear()  # or the end of the run would heal once more what was seen to be well
        return seen

    def _heal(self) -> None:
        self._run(self._commands.heal, self._commands.within_s)

    def _look(self, command: Sequence[str]) -> Evidence | None:
        """At most so often: each look is a process."""
        time.sleep(max(0.0, self._looked_at_s + LOOK_EVERY_S - time.monotonic()))
        self._looked_at_s = time.monotonic()
        why = self._run(command, LOOK_WITHIN_S)
        return None if why else (f"{command[0]} of its owner says so (exit code 0)",)

    def _run(self, command: Sequence[str], within_s: float) -> str:
        return run_within(command, os.environ, self._folder, subprocess.DEVNULL, within_s)


class Placebo(FaultSteps):
    """Everything of a fault but the break: it aims, and looks with the fault's own eyes.

    A run with placebos shows what the looking and the waiting do by themselves, and how much of a measure comes from a
    busy machine. Nothing of it is ever observed to happen, so such a run never counts as a test of the scenario's
    predictions.
    """

    def __init__(self, real: FaultSteps) -> None:
        self._real = real

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


def fault_for(planned: PlannedFault, plan: Plan, application: Description | None = None) -> FaultSteps:
    """What is carried out for a planned fault: its owner's commands if there are any, or the fault; or its placebo."""
    fault: FaultSteps = FAULTS[planned.kind]
    if application is not None and planned.kind in application.fault:
        fault = CommandedFault(application.fault[planned.kind], application.folder)
    # Around the owner's commands, too: their placebo looks with their eyes, and runs neither of the other two.
    return Placebo(fault) if plan.control == "placebo" else fault
