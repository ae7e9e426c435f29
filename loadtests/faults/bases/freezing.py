"""Faults that stop a part with SIGSTOP: it keeps its memory and its connections, and answers nobody."""

from __future__ import annotations

from loadtests.faults.contract import Evidence, Fault, Target


class Freezes(Fault):
    """Stops a part; healing lets it go on where it was."""

    def inject(self, target: Target) -> None:
        """Freeze it."""
        target.cluster.freeze(target.victim)

    def observe(self, target: Target) -> Evidence | None:
        """Its process is there, and it does not answer."""
        seen = target.cluster.observe(target.victim)
        return seen.evidence if seen.process and not seen.answers else None

    def heal(self, target: Target) -> None:
        """Let it go on."""
        target.cluster.thaw(target.victim)

    def observe_healed(self, target: Target) -> Evidence | None:
        """It answers, it is in rotation, and it is the same start of the part: it has lost nothing."""
        seen = target.cluster.observe(target.victim)
        before = target.before.boot if target.before else None
        return seen.evidence if seen.answers and seen.in_rotation and seen.boot == before else None
