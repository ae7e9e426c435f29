"""Faults that stop a node and start it with other signing keys: one node's turn in a change of the key."""

from __future__ import annotations

from compose.changes import NodeChanges
from loadtests.faults.bases.going_down import GoesDown
from loadtests.faults.contract import Evidence, Target


class Rekeys(GoesDown):
    """Ends a node; healing starts it with these keys, which it keeps."""

    takes_memory = True
    changes: NodeChanges

    def inject(self, target: Target) -> None:
        """Write down what changes with its next start, and end it."""
        target.cluster.change(target.victim, self.changes)
        target.cluster.terminate(target.victim)

    def observe_healed(self, target: Target) -> Evidence | None:
        """It is back, and says that it signs with and accepts what it should."""
        back = super().observe_healed(target)
        state = target.cluster.state(target.victim) if back else None
        if back is None or state is None or (state.key, state.fallback) != (self.changes.key, self.changes.fallback):
            return None
        return (*back, f"signs with its {state.key} key, accepts as well: {state.fallback or 'none'}")
