"""A node is deployed with care: drained first, and restarted when its heal is due."""

from __future__ import annotations

from loadtests.faults.bases import NODE_STOPPED, back_again
from loadtests.faults.contract import Evidence, Target
from loadtests.faults.drain import Drain


class Deploy(Drain):
    """Drains a node; healing restarts it and sends it everybody again."""

    kind = "deploy"
    colour = "#0e8071"
    doing = "Deploying"
    done = "drained and restarted"
    button = "Deploy"
    free_play = 8
    takes_memory = True
    forgets = "healed"
    explains = (*Drain.explains, ("memory_gone", NODE_STOPPED))
    sentence = (
        "A node is drained and, when healed, stopped with SIGTERM and started again; one after the other, that is a "
        "rolling deploy with draining."
    )

    def heal(self, target: Target) -> None:
        """One step further: end it, start it once it has ended, and send it everybody again."""
        cluster, victim = target.cluster, target.victim
        seen = cluster.observe(victim)
        if not seen.process:
            cluster.start(victim)
        elif target.before is not None and seen.boot == target.before.boot:
            cluster.terminate(victim)
        elif seen.answers:
            cluster.undrain(victim)

    def observe_healed(self, target: Target) -> Evidence | None:
        """It is back in rotation, as another start of itself."""
        return back_again(target)
