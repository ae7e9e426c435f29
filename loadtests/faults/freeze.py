"""A node is frozen: SIGSTOP, so that it keeps its sessions and its connections, and answers nobody."""

from compose.cluster import Limits
from loadtests.faults.bases import MOVED_BY_RING, Freezes
from loadtests.faults.effects import (
    BEHIND_US,
    CopyBehind,
    Effect,
    FaultMarks,
    RingTurns,
    Unreachable,
)
from loadtests.model.results import Cause

NODE_FROZEN = Cause(
    "node_frozen",
    "The node that holds the session was frozen, and the balancer sent the shopper to another one; or its own copy was "
    "behind when it went on.",
)


class Freeze(Freezes):
    kind = "freeze"
    victim_is_down = "until healed"
    colour = "#0b89c8"
    doing = "Freezing"
    done = "frozen"
    free_play = 3
    causes = (NODE_FROZEN, MOVED_BY_RING)
    sentence = "A node is frozen with SIGSTOP: it keeps its memory and answers nobody; when healed, it goes on."

    def effects(self, marks: FaultMarks, limits: Limits) -> tuple[Effect, ...]:
        # It keeps its memory: whoever belongs there is merely answered by others meanwhile.
        began, ended, victim, word = marks.since_us, marks.over_us, marks.victim, NODE_FROZEN.name
        deaf = marks.freed_us
        return (
            Unreachable(began, ended, word, victim),
            RingTurns(began, ended, MOVED_BY_RING.name),
            # What others wrote meanwhile it hears only some time after it goes on.
            CopyBehind(began, ended + BEHIND_US, word, victim, deaf),
        )
