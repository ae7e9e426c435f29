"""A node's memory is capped: it keeps so many sessions, and forgets others without a word."""

from compose.cluster import Limits
from compose.engines.contract import Cluster
from loadtests.faults.bases import MEMORY_CAP, Troubles
from loadtests.faults.contract import Evidence, Target
from loadtests.faults.effects import Effect, FaultMarks, MemoryKeepsAtMost
from shared.sessions import Injection

CAP = 5  # far fewer than come to a node, so that there is something to forget


class MemoryCap(Troubles):
    """A handful of sessions, as with a cache whose default size nobody looked up."""

    kind = "memory-cap"
    colour = "#a752d4"
    doing = "Capping the memory of"
    done = "capped"
    causes = (MEMORY_CAP,)
    sentence = f"A node keeps at most {CAP} sessions in its memory from then on, and forgets the others without a word."
    trouble = Injection(session_cap=CAP)

    def nothing_there(self, cluster: Cluster) -> str:
        architecture = cluster.spec.architecture
        return "" if architecture.in_nodes else f"the nodes of {architecture.name} hold no sessions"

    def observe(self, target: Target) -> Evidence | None:
        # Its word alone is not enough, since it is the one that was told; that it holds so few shows it.
        state, held = target.cluster.state(target.victim), target.cluster.held(target.victim)
        if state is None or held is None or state.trouble.session_cap != CAP or len(held) > CAP:
            return None
        return (
            f"sessions that {target.victim} holds, by its own list: {len(held)}",
            f"its cap is {CAP}, by its own word",
        )

    def observe_healed(self, target: Target) -> Evidence | None:
        state = target.cluster.state(target.victim)
        return None if state is None or state.trouble.session_cap else (f"{target.victim} says it has no such cap",)

    def effects(self, marks: FaultMarks, limits: Limits) -> tuple[Effect, ...]:
        return (MemoryKeepsAtMost(marks.since_us, marks.over_us, MEMORY_CAP.name, marks.victim, CAP),)
