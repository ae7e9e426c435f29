"""The cluster grows by a node, which starts empty and is sent shoppers as soon as it is healthy."""

from compose.cluster import Limits
from loadtests.faults.bases import MOVED_BY_RING, Stays
from loadtests.faults.contract import Evidence, Target
from loadtests.faults.effects import FOREVER_US, Effect, FaultMarks, RingTurns


class ScaleOut(Stays):
    kind = "scale-out"
    colour = "#009c1e"
    doing = "Adding a node to"
    done = "grown by a node"
    free_play = 9
    strikes = "cluster"
    grows = True
    causes = (MOVED_BY_RING,)
    sentence = "A node is added, and is sent shoppers as soon as the balancer calls it healthy; it stays."

    def inject(self, target: Target) -> None:
        target.cluster.add_node()

    def observe(self, target: Target) -> Evidence | None:
        new = [node.name for node in target.cluster.nodes() if node.name not in target.nodes]
        seen = [target.cluster.observe(name) for name in new]
        there = [one for one in seen if one.answers and one.in_rotation]
        return (f"new: {there[0].part}", *there[0].evidence) if there else None

    def effects(self, marks: FaultMarks, limits: Limits) -> tuple[Effect, ...]:
        # Nobody's session is touched; but on a ring the new node is given people of the others.
        return (RingTurns(marks.since_us, FOREVER_US, MOVED_BY_RING.name, marks.seen_us),)
