"""The session store dies and its replica is promoted: what had not reached the replica is lost."""

from compose.cluster import REPLICA, SENTINEL
from compose.engines.contract import Cluster
from loadtests.faults.bases import NOT_REPLICATED
from loadtests.faults.contract import Cure, Evidence, Fault, Target
from loadtests.faults.effects import StoreRolledBack
from loadtests.faults.store_server import server_info

CALM = "status=ok"  # the sentinel says so of the store it names, once the promotion is over


class Promoted(Fault):
    """SIGKILL of the store where it has a replica; the old store comes back as the replica of the new one."""

    kind = "promoted"
    colour = "#089772"
    doing = "Promoting the replica of"
    done = "killed, and its replica promoted"
    strikes = "store"
    causes = (NOT_REPLICATED,)
    brings = (StoreRolledBack,)
    cures = (
        Cure(
            "A replica is promoted that has not heard of the newest sessions.",
            "While no replica keeps up, the store refuses writes: errors instead of losses.",
            "replica-promoted",
            "replica-promoted-min-replicas",
        ),
    )
    sentence = "The session store is killed, its replica takes its place and, when healed, the old store follows it."

    def nothing_there(self, cluster: Cluster) -> str:
        return "" if REPLICA in cluster.parts() else f"{cluster.spec.architecture.name} has no replica"

    def inject(self, target: Target) -> None:
        target.cluster.kill(target.victim)  # the sentinel does the rest

    def observe(self, target: Target) -> Evidence | None:
        seen = target.cluster.observe(target.victim)
        if seen.process or seen.answers or server_info(target.cluster, REPLICA, "replication").get("role") != "master":
            return None
        # A sentinel that is still at it names the old store: whoever starts that one now has two masters.
        named = target.cluster.observe(SENTINEL).evidence
        return (*seen.evidence, f"{REPLICA}: role master", *named) if CALM in " ".join(named) else None

    def heal(self, target: Target) -> None:
        target.cluster.start(target.victim)

    def observe_healed(self, target: Target) -> Evidence | None:
        # As a master it would answer too, and hold sessions that nobody looks for there.
        seen = target.cluster.observe(target.victim)
        role = server_info(target.cluster, target.victim, "replication").get("role") if seen.answers else None
        return (*seen.evidence, f"{target.victim}: role {role}") if role == "slave" else None
