"""The cluster shrinks by a node: taken out of the balancer's membership, then stopped."""

from compose.cluster import Limits
from loadtests.faults.bases import NODE_STOPPED, NodeGoesDown, Stays
from loadtests.faults.contract import Evidence, Target
from loadtests.faults.effects import Effect, FaultMarks, node_down

NO_MEMBER = "not a member"  # so an observation says that the balancer does not know the node


class ScaleIn(Stays):
    kind = "scale-in"
    victim_is_down = "for good"
    colour = "#4c7f00"
    doing = "Removing"
    done = "removed"
    free_play = 10
    takes_memory = True
    looks = "dead"
    causes = NodeGoesDown.causes
    sentence = "A node is taken out of the balancer's membership and then stopped with SIGTERM; it does not come back."

    def inject(self, target: Target) -> None:
        target.cluster.remove_node(target.victim)

    def observe(self, target: Target) -> Evidence | None:
        seen = target.cluster.observe(target.victim)
        # Gone from the membership, too: a node that merely died is still a member, out of rotation.
        gone = not seen.process and not seen.answers and any(NO_MEMBER in words for words in seen.evidence)
        return seen.evidence if gone else None

    def effects(self, marks: FaultMarks, limits: Limits) -> tuple[Effect, ...]:
        return node_down(marks, NODE_STOPPED.name, for_good=True)
