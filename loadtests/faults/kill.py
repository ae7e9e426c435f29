"""A node is killed: SIGKILL, no warning, its memory is gone; healing starts it again, empty."""

from __future__ import annotations

from loadtests.faults.bases import GoesDown
from loadtests.faults.contract import Target


class Kill(GoesDown):
    """SIGKILL of a node's whole process group."""

    kind = "kill"
    colour = "#8a6d00"
    doing = "Killing"
    done = "killed"
    takes_memory = True
    sentence = "A node is killed with SIGKILL and, when healed, started again with an empty memory."

    def inject(self, target: Target) -> None:
        """Kill it."""
        target.cluster.kill(target.victim)
