"""Conditions: what is there from the start to the end of a run."""

from __future__ import annotations

from abc import abstractmethod

from compose.cluster import Limits
from loadtests.faults.contract import Evidence, Fault, Target


class Condition(Fault):
    """Changes the limits that the cluster is started with; nothing is done to it while it runs."""

    strikes = "cluster"
    stays = True

    @abstractmethod
    def prepare(self, limits: Limits) -> Limits:
        """The limits that make it so."""

    @abstractmethod
    def observe(self, target: Target) -> Evidence | None:
        """What proves, from outside, that it is so."""

    def inject(self, target: Target) -> None:
        """It is there already."""

    def heal(self, target: Target) -> None:
        """It stays."""

    def observe_healed(self, target: Target) -> Evidence | None:
        """It is still so."""
        return self.observe(target)
