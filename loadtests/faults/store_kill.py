"""The session store is killed: SIGKILL; what it wrote to no file is gone."""

from __future__ import annotations

from loadtests.faults.bases import GoesDown
from loadtests.faults.contract import Target


class StoreKill(GoesDown):
    """SIGKILL of the store's process."""

    kind = "store-kill"
    colour = "#c23500"
    doing = "Killing"
    done = "killed"
    strikes = "store"
    sentence = (
        "The session store is killed with SIGKILL and, when healed, started again: empty, unless it keeps a file."
    )

    def inject(self, target: Target) -> None:
        """Kill it."""
        target.cluster.kill(target.victim)
