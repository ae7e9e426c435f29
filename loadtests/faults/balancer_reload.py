"""The balancer is told to read its configuration anew; what its old worker had learnt goes with that."""

from __future__ import annotations

from compose.balancers import balancer_named
from compose.cluster import Limits
from compose.engines.contract import Cluster
from loadtests.faults.contract import Evidence, Fault, Target
from loadtests.faults.effects import AffinityForgotten, Effect, FaultMarks, seen, since
from loadtests.model.cause import Cause

TABLE_FORGOTTEN = Cause(
    "affinity_forgotten", "The balancer itself had remembered which node the shopper belongs to, and forgot it."
)


class BalancerReload(Fault):
    """As after any change of its configuration: nothing is down for a moment."""

    kind = "balancer-reload"
    colour = "#7d6a12"
    doing = "Reloading"
    done = "reloaded"
    button = "Reload the balancer"
    strikes = "balancer"
    stays = True
    asks_of_balancer = "affinity_table"
    causes = (TABLE_FORGOTTEN,)
    sentence = "The balancer is told to read its configuration anew: a new worker takes the place of the one that ran."

    def nothing_there(self, cluster: Cluster) -> str:
        """Only what the balancer itself remembers can be forgotten."""
        architecture, balancer = cluster.spec.architecture, balancer_named(cluster.spec.balancer)
        if architecture.affinity != "cookie":
            return f"the balancer of {architecture.name} keeps nobody at a node"
        return "" if balancer.can.affinity_table else f"{balancer.title} does not remember itself who belongs where"

    def inject(self, target: Target) -> None:
        """Tell it."""
        target.cluster.reload_balancer()

    def observe(self, target: Target) -> Evidence | None:
        """Another process serves than before."""
        now = target.cluster.observe(target.victim)
        before = target.before.boot if target.before else None
        return (*now.evidence, f"before: {before}") if now.answers and now.boot != before else None

    def heal(self, target: Target) -> None:
        """There is nothing to mend."""

    def observe_healed(self, target: Target) -> Evidence | None:
        """Another one serves still."""
        return self.observe(target)

    def effects(self, marks: FaultMarks, limits: Limits) -> tuple[Effect, ...]:
        """Its table is gone."""
        return (AffinityForgotten(since(marks), seen(marks), TABLE_FORGOTTEN.name),)
