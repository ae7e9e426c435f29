"""The session store fails over as planned, and one node goes on talking to the server that was the primary."""

from __future__ import annotations

from compose.changes import Trouble
from compose.cluster import REPLICA, SENTINEL, STORE, Limits
from compose.engines.contract import Cluster
from loadtests.faults.bases import NOT_REPLICATED, Troubles
from loadtests.faults.contract import Evidence, Target
from loadtests.faults.effects import Effect, FaultMarks, StoreRolledBack, seen, since
from loadtests.faults.store_server import StoreServer


class DemotedPrimary(Troubles):
    """A client that asked only once where the primary is: a name looked up at its start, an address in a file.

    The server that it stays with is a replica now: it answers reads, and refuses writes.
    """

    kind = "demoted-primary"
    colour = "#4a7d8c"
    doing = "Keeping at the demoted primary"
    done = "left with a demoted primary"
    button = "Stay with the old primary"
    causes = (NOT_REPLICATED,)
    sentence = "The replica takes the primary's place, nobody dies, and one node goes on talking to the old primary."
    trouble = Trouble(keeps_primary=True)

    def nothing_there(self, cluster: Cluster) -> str:
        """Only where there is a replica can a primary be demoted."""
        return "" if REPLICA in cluster.parts() else f"{cluster.spec.architecture.name} has no replica"

    def inject(self, target: Target) -> None:
        """First the node, then the failover."""
        super().inject(target)
        StoreServer(target.cluster, SENTINEL).fail_over()

    def observe(self, target: Target) -> Evidence | None:
        """A server that calls itself a replica says that the node is connected to it, as who would write."""
        stays = [part for part in (STORE, REPLICA) if _serves(target, part)]
        return tuple(f"{part}: role slave, and {target.victim} is among its clients" for part in stays) or None

    def observe_healed(self, target: Target) -> Evidence | None:
        """No replica has it for a client, and the primary has."""
        if any(_serves(target, part) for part in (STORE, REPLICA)):
            return None
        found = [part for part in (STORE, REPLICA) if target.victim in StoreServer(target.cluster, part).clients()]
        return tuple(f"{part}: {target.victim} is among its clients" for part in found) or None

    def effects(self, marks: FaultMarks, limits: Limits) -> tuple[Effect, ...]:
        """What the replica had not heard of when it was promoted is gone; the node's own writes were refused."""
        return (StoreRolledBack(since(marks), seen(marks), NOT_REPLICATED.name),)


def _serves(target: Target, part: str) -> bool:
    server = StoreServer(target.cluster, part)
    return server.role() == "slave" and target.victim in server.clients()
