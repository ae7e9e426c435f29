"""The contract of a fault: something that is broken and healed on purpose.

A fault is one file with one class: how to inject it, how to *see* that it happened, how to heal it, and how to see that
it healed. Seeing is done through `Cluster.observe`, which looks from outside of whatever did it; a fault that was not
seen makes the run inconclusive, so an injection that quietly does nothing can never count as a pass.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import msgspec

from compose.cluster import Cluster, Observation

Evidence = tuple[str, ...]


class Target(msgspec.Struct, frozen=True):
    """What a fault strikes, and how it looked just before."""

    cluster: Cluster
    node: str
    before: Observation


class Fault(ABC):
    """Inject, observe, heal, observe healed. No method waits; the run polls the two observations within a bound."""

    kind: str
    """What a scenario calls it: `kind = "kill"`."""
    colour: str
    """Of its band in charts, as #rrggbb."""
    doing: str
    """How a sentence about it begins: "Killing" (n2 …)."""
    done: str
    """What it did to its victim: (n2) "killed"."""
    sentence: str
    """One sentence for a person: what is broken and how it is healed."""

    @abstractmethod
    def inject(self, target: Target) -> None:
        """Break it."""

    @abstractmethod
    def observe(self, target: Target) -> Evidence | None:
        """What proves, from outside, that it is broken; None as long as nothing does."""

    @abstractmethod
    def heal(self, target: Target) -> None:
        """Mend it. Safe to repeat, and safe if it never broke."""

    @abstractmethod
    def observe_healed(self, target: Target) -> Evidence | None:
        """What proves, from outside, that it is mended; None as long as nothing does."""
