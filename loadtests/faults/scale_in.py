"""The cluster shrinks by a node: taken out of the balancer's membership, then stopped."""

from __future__ import annotations

from compose.cluster import Limits
from loadtests.faults.bases import NODE_STOPPED, NodeGoesDown
from loadtests.faults.contract import Evidence, Fault, Target
from loadtests.faults.effects import Effect, FaultMarks, node_down

NO_MEMBER = "not a member"
"""How an observation says that the balancer does not know the node."""


class ScaleIn(Fault):
    """One node less."""

    kind = "scale-in"
    victim_is_down = "for good"
    colour = "#4c7f00"
    doing = "Removing"
    done = "removed"
    button = "Scale in"
    free_play = 10
    takes_memory = True
    stays = True
    looks = "dead"
    causes = NodeGoesDown.causes
    sentence = "A node is taken out of the balancer's membership and then stopped with SIGTERM; it does not come back."

    def inject(self, target: Target) -> None:
        """Take it out and stop it."""
        target.cluster.remove_node(target.victim)

    def observe(self, target: Target) -> Evidence | None:
        """Its process is gone, and the balancer no longer knows it."""
        seen = target.cluster.observe(target.victim)
        gone = not seen.process and not seen.answers and any(NO_MEMBER in words for words in seen.evidence)
        return seen.evidence if gone else None

    def heal(self, target: Target) -> None:
        """It stays away."""

    def observe_healed(self, target: Target) -> Evidence | None:
        """It is still gone."""
        return self.observe(target)

    def effects(self, marks: FaultMarks, limits: Limits) -> tuple[Effect, ...]:
        """Its memory is gone for good, and whoever belongs there goes elsewhere."""
        return node_down(marks, NODE_STOPPED.name, for_good=True)
