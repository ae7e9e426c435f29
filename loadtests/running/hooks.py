"""Faults that are commands of an application's owner: inject, observe, heal, observe healed.

The law is the same as for every fault: what was not observed did not happen. A command says yes by its exit code 0.
What it prints is nobody's business here: it may hold secrets, so it is neither kept nor shown.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence

from compose.applications.described import run_within
from compose.description import FaultCommands
from compose.engines.running import RunningCluster
from loadtests.faults import FAULTS, Evidence, Fault, Target
from loadtests.running.placebo import ABOUT

LOOK_EVERY_S = 0.3
LOOK_WITHIN_S = 5.0


class CommandedFault(Fault):
    """A fault of a kind that is known, carried out by commands."""

    def __init__(self, kind: str, commands: FaultCommands, folder: str) -> None:
        for name in ABOUT:  # what its kind says of itself: reports know it by that, whoever carries it out
            setattr(self, name, getattr(FAULTS[kind], name))
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
