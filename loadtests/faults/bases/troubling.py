"""Faults that a living node is told to suffer from: its process, its health check and its memory stay as they are."""

from __future__ import annotations

from compose.changes import Reply, Trouble
from loadtests.faults.contract import Evidence, Fault, Target


class Troubles(Fault):
    """Tells a node what to suffer from; healing tells it to suffer from nothing."""

    trouble: Trouble

    def inject(self, target: Target) -> None:
        """Tell it."""
        target.cluster.trouble(target.victim, self.trouble)

    def heal(self, target: Target) -> None:
        """Tell it that all is well."""
        target.cluster.trouble(target.victim, Trouble())


class TroublesPages(Troubles):
    """One that shows when a page of the shop is asked for."""

    def suffers(self, page: Reply) -> bool:
        """Whether this answer shows it."""
        raise NotImplementedError

    def observe(self, target: Target) -> Evidence | None:
        """Its pages show it, while the balancer calls it healthy."""
        page = target.cluster.probe(target.victim)
        if not self.suffers(page):
            return None
        seen = target.cluster.observe(target.victim)
        return (page.words, *seen.evidence) if seen.answers and seen.in_rotation else None

    def observe_healed(self, target: Target) -> Evidence | None:
        """Its pages are as they should be."""
        page = target.cluster.probe(target.victim)
        return (page.words,) if page.ok and not self.suffers(page) else None
