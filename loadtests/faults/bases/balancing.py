"""Faults of the running balancer: it is told to route otherwise, and asked how it does."""

from __future__ import annotations

from compose.changes import Balancing
from loadtests.faults.contract import Evidence, Fault, Target


class Misroutes(Fault):
    """Tells the balancer how to route; healing tells it to route as it was started."""

    strikes = "cluster"
    balancing: Balancing

    def is_so(self, told: Balancing) -> bool:
        """Whether the balancer routes so, by its own words."""
        raise NotImplementedError

    def inject(self, target: Target) -> None:
        """Tell it."""
        target.cluster.balance(self.balancing)

    def observe(self, target: Target) -> Evidence | None:
        """Its own configuration, read from its admin address, says so."""
        told = target.cluster.balancing()
        return (in_words(told),) if self.is_so(told) else None

    def heal(self, target: Target) -> None:
        """Tell it to route as it was started."""
        target.cluster.balance(Balancing())

    def observe_healed(self, target: Target) -> Evidence | None:
        """Its own configuration no longer says so."""
        told = target.cluster.balancing()
        return None if self.is_so(told) else (in_words(told),)


def in_words(told: Balancing) -> str:
    """How the balancer says that it routes."""
    return f"the balancer's configuration: affinity {'on' if told.affinity else 'off'}, retries {told.retries or 0}"
