"""The session store fails over as planned, nobody dies, and nodes go on talking to the server that was the primary."""

from typing import Any
from urllib.parse import urlsplit

from compose.cluster import REPLICA, SENTINEL, STORE, Limits
from compose.engines.contract import Cluster
from compose.probes import MASTER
from loadtests.faults.contract import Cure, Evidence, Fault, Target
from loadtests.faults.effects import Effect, FaultMarks, ReplicaBehind, StoreRolledBack
from loadtests.faults.store_server import ask, end_others, server_info
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
        ask(target.cluster, SENTINEL, lambda sentinel: sentinel.sentinel_failover(MASTER))

    def observe(self, target: Target) -> Evidence | None:
        named, other = _primaries(target.cluster)
        clients = ask(target.cluster, other, lambda server: server.client_list()) or []
        # That there are two primaries hurts nobody, unless nodes still talk to the one that is not named.
        stay = sorted({client.get("name", "") for client in clients} & set(target.nodes))
        if not stay or _role(target.cluster, other) != "master":
            return None
        return (f"the sentinel names {named}", f"{other}: role master, and {', '.join(stay)} among its clients")

    def heal(self, target: Target) -> None:
        # The sentinel would do so only after ten seconds in which the old one still calls itself the primary.
        named, other = _primaries(target.cluster)
        where = urlsplit(target.cluster.address(named))

        def obey(server: Any) -> None:
            server.replicaof(where.hostname or "", where.port or 0)
            # Nodes find the new primary only with a new connection; on an old one they would be refused their writes.
            end_others(server)

        ask(target.cluster, other, obey)

    def observe_healed(self, target: Target) -> Evidence | None:
        named, other = _primaries(target.cluster)
        roles = {part: _role(target.cluster, part) for part in (named, other)}
        if roles != {named: "master", other: "slave"}:
            return None
        return tuple(f"{part}: role {role}" for part, role in roles.items())

    def effects(self, marks: FaultMarks, limits: Limits) -> tuple[Effect, ...]:
        # Both: what was written meanwhile went to one of them, and is lost if that was the old one.
        lasts = marks.since_us, marks.over_us, STAYED.name
        return (StoreRolledBack(*lasts), ReplicaBehind(*lasts))


def _primaries(cluster: Cluster) -> tuple[str, str]:
    """Whom the sentinel names, and the other one."""
    told = ask(cluster, SENTINEL, lambda sentinel: sentinel.sentinel_get_master_addr_by_name(MASTER))
    named = f"{str(told[0], 'ascii')}:{told[1]}" if told else ""
    return (REPLICA, STORE) if named and named in cluster.address(REPLICA) else (STORE, REPLICA)


def _role(cluster: Cluster, part: str) -> str | None:
    """`master` or `slave`, by its own word."""
    return server_info(cluster, part, "replication").get("role")
