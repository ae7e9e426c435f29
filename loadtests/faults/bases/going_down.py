"""Faults that end a part's process: it is down until it is healed, and comes back as another start of itself."""

from __future__ import annotations

from loadtests.faults.contract import Evidence, Fault, Target


class GoesDown(Fault):
    """Ends a part; healing starts it again, on the same address."""

    def observe(self, target: Target) -> Evidence | None:
        """Its process is gone *and* nothing answers: either alone can be true of a part that still serves."""
        seen = target.cluster.observe(target.victim)
        return None if seen.process or seen.answers else seen.evidence

    def heal(self, target: Target) -> None:
        """Start it again."""
        target.cluster.start(target.victim)

    def observe_healed(self, target: Target) -> Evidence | None:
        """It answers, it is in rotation, and it is another start of the part than the one that was hit."""
        return back_again(target)


def back_again(target: Target) -> Evidence | None:
    """The part is there, and it is another start of it than before."""
    seen = target.cluster.observe(target.victim)
    before = target.before.boot if target.before else None
    back = seen.answers and seen.in_rotation and seen.boot != before
    return (*seen.evidence, f"boot {seen.boot}, before {before}") if back else None
