"""The session store is far away: each of its answers takes two milliseconds, as from another data centre nearby."""

from __future__ import annotations

import msgspec

from compose.cluster import Cluster, Limits
from loadtests.faults.bases.conditions import Condition
from loadtests.faults.bases.wiring import no_store, quickest
from loadtests.faults.contract import Evidence, Target

DISTANCE_MS = 2.0
TRIES = 5


class StoreFar(Condition):
    """Two milliseconds on each round trip to the store."""

    kind = "store-far"
    colour = "#046fc7"
    doing = "Moving the session store away from"
    done = "2 ms away from the session store"
    needs_wires = True
    sentence = f"Each answer of the session store takes {DISTANCE_MS:.0f} ms, as from another data centre nearby."

    def prepare(self, limits: Limits) -> Limits:
        """A distance to the store."""
        return msgspec.structs.replace(limits, store_distance_ms=DISTANCE_MS)

    def nothing_there(self, cluster: Cluster) -> str:
        """Without a store nothing is far."""
        return no_store(cluster)

    def observe(self, target: Target) -> Evidence | None:
        """From each node, even the quickest answer takes that long."""
        replies = [quickest(target.cluster, node.name, TRIES) for node in target.cluster.nodes()]
        if any(reply is None or reply.took_ms < DISTANCE_MS for reply in replies):
            return None
        return tuple(reply.words for reply in replies if reply is not None)
