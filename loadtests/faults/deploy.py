"""A node is deployed with care: drained first, and restarted when its heal is due."""

from compose.cluster import Limits
from loadtests.faults.bases import MOVED_BY_RING, NODE_STOPPED, back_again
from loadtests.faults.contract import Evidence, Target
from loadtests.faults.drain import Drain
from loadtests.faults.effects import Effect, FaultMarks, MemoryGone, NodeEnds, RingTurns, Unreachable


class Deploy(Drain):
    """Drains a node; healing restarts it and sends it everybody again."""

    kind = "deploy"
    colour = "#0e8071"
    doing = "Deploying"
    done = "drained and restarted"
    free_play = 8
    takes_memory = True
    forgets = "healed"
    causes = (*Drain.causes, NODE_STOPPED)
    sentence = (
        "A node is drained and, when healed, stopped with SIGTERM and started again; one after the other, that is a "
        "rolling deploy with draining."
    )

    def heal(self, target: Target) -> None:
        cluster, victim = target.cluster, target.victim
        seen = cluster.observe(victim)
        # A step follows from what is seen, not from what was done: it is asked again and again, and may be too early.
        if not seen.process:
            cluster.start(victim)
        elif target.before is not None and seen.boot == target.before.boot:
            cluster.terminate(victim)
        elif seen.answers:
            cluster.undrain(victim)

    def observe_healed(self, target: Target) -> Evidence | None:
        return back_again(target)

    def effects(self, marks: FaultMarks, limits: Limits) -> tuple[Effect, ...]:
        # Drained, it keeps its memory; that goes with the restart, which is its healing.
        turns = RingTurns.of(marks, MOVED_BY_RING.name)
        if marks.healed_us is None:
            return (turns,)
        healed, victim, word = marks.healed_us, marks.victim, NODE_STOPPED.name
        # Whom it held is written when its old process was seen to be gone, which is after the first try to heal.
        gone = healed if marks.at_risk_us is None else marks.at_risk_us
        return (
            MemoryGone(healed, gone, word, victim, marks.over_us),
            NodeEnds(healed, gone, word, victim),
            Unreachable(healed, marks.over_us, word, victim),
            turns,
        )
