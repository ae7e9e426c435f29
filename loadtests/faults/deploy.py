"""A node is deployed with care: drained first, and restarted when its heal is due."""

from __future__ import annotations

from loadtests.faults.bases.going_down import back_again
from loadtests.faults.contract import Evidence, Target
from loadtests.faults.drain import Drain


class Deploy(Drain):
    """Drains a node; healing restarts it and sends it everybody again."""

    kind = "deploy"
    colour = "#0e8071"
    doing = "Deploying"
    done = "drained and restarted"
    takes_memory = True
    forgets = "healed"
    sentence = (
        "A node is drained and, when healed, stopped with SIGTERM and started again; one after the other, that is a "
        "rolling deploy with draining."
    )

    def heal(self, target: Target) -> None:
        """Restart it, unless that was done already."""
        cluster, victim = target.cluster, target.victim
        before = target.before.boot if target.before else None
        if cluster.observe(victim).boot in (before, None):
            cluster.terminate(victim)
            cluster.start(victim)
        cluster.undrain(victim)

    def observe_healed(self, target: Target) -> Evidence | None:
        """It is back in rotation, as another start of itself."""
        return back_again(target)
