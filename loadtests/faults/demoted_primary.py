"""The session store fails over as planned, nobody dies, and nodes go on talking to the server that was the primary."""

from compose.cluster import REPLICA, SENTINEL, STORE, Limits
from compose.engines.contract import Cluster
from loadtests.faults.contract import Cure, Evidence, Fault, Target
from loadtests.faults.effects import Effect, FaultMarks, ReplicaBehind, StoreRolledBack
from loadtests.faults.store_server import StoreServer
from loadtests.model.results import Cause

STAYED = Cause(
    "demoted_primary",
    "Nodes went on writing to a server that was no longer the primary, and what it was told was gone when it became a "
    "replica.",
)


class DemotedPrimary(Fault):
    """A client asks the sentinel where the primary is when it opens a connection, and then keeps that."""

    kind = "demoted-primary"
    colour = "#4a7d8c"
    doing = "Failing over"
    done = "failed over, with the nodes left at the old primary"
    button = "Demote the primary"
    strikes = "store"
    causes = (STAYED,)
    cures = (
        Cure(
            "A store fails over, and nodes go on writing to the old primary over the connections that they have.",
            "A primary without a replica that keeps up refuses writes, whenever that is: errors instead of losses.",
            "demoted-primary",
            "demoted-primary-min-replicas",
        ),
    )
    sentence = (
        "The replica is promoted while the primary lives, which nodes keep writing to until it is made a replica."
    )

    def nothing_there(self, cluster: Cluster) -> str:
        return "" if REPLICA in cluster.parts() else f"{cluster.spec.architecture.name} has no replica"

    def inject(self, target: Target) -> None:
        # By the sentinel, as before maintenance: it knows at once whom to name, and nobody need die.
        StoreServer(target.cluster, SENTINEL).fail_over()

    def observe(self, target: Target) -> Evidence | None:
        named, other = _primaries(target.cluster)
        server = StoreServer(target.cluster, other)
        # That there are two primaries hurts nobody, unless nodes still talk to the one that is not named.
        stay = sorted(server.clients() & set(target.nodes)) if server.role() == "master" else []
        if not stay:
            return None
        return (f"the sentinel names {named}", f"{other}: role master, and {', '.join(stay)} among its clients")

    def heal(self, target: Target) -> None:
        # The sentinel would do so only after ten seconds in which the old one still calls itself the primary.
        named, other = _primaries(target.cluster)
        StoreServer(target.cluster, other).follow(target.cluster.address(named))

    def observe_healed(self, target: Target) -> Evidence | None:
        named, other = _primaries(target.cluster)
        roles = {part: StoreServer(target.cluster, part).role() for part in (named, other)}
        if roles != {named: "master", other: "slave"}:
            return None
        return tuple(f"{part}: role {role}" for part, role in roles.items())

    def effects(self, marks: FaultMarks, limits: Limits) -> tuple[Effect, ...]:
        # Both: what was written meanwhile went to one of them, and is lost if that was the old one.
        lasts = marks.since_us, marks.over_us, STAYED.name
        return (StoreRolledBack(*lasts), ReplicaBehind(*lasts))


def _primaries(cluster: Cluster) -> tuple[str, str]:
    """Whom the sentinel names, and the other one."""
    named = StoreServer(cluster, SENTINEL).primary()
    return (REPLICA, STORE) if named and named in cluster.address(REPLICA) else (STORE, REPLICA)
