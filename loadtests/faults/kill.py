"""A node is killed: SIGKILL, no warning, its memory is gone; healing starts it again, empty."""

from __future__ import annotations

from loadtests.faults.contract import Evidence, Fault, Target


class Kill(Fault):
    """SIGKILL of a node's whole process group."""

    kind = "kill"
    colour = "#8a6d00"
    doing = "Killing"
    done = "killed"
    takes_memory = True
    sentence = "A node is killed with SIGKILL and, when healed, started again with an empty memory."

    def inject(self, target: Target) -> None:
        """Kill it."""
        target.cluster.kill(target.victim)

    def observe(self, target: Target) -> Evidence | None:
        """Its process is gone *and* its port refuses: either alone can be true of a node that still serves."""
        seen = target.cluster.observe(target.victim)
        return None if seen.process or seen.answers else seen.evidence

    def heal(self, target: Target) -> None:
        """Start it again, on the same address."""
        target.cluster.start(target.victim)

    def observe_healed(self, target: Target) -> Evidence | None:
        """It answers, the balancer sends it requests, and it is another start of the node than the one that was hit."""
        seen = target.cluster.observe(target.victim)
        before = target.before.boot if target.before else None
        back = seen.answers and seen.in_rotation and seen.boot != before
        return (*seen.evidence, f"boot {seen.boot}, before {before}") if back else None
