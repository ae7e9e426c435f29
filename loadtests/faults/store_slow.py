"""The session store is slow: each of its answers takes 300 ms, well within what nodes wait for."""

from __future__ import annotations

from compose.changes import Wire
from compose.engines.contract import Cluster
from loadtests.faults.bases import DELAYED_WRITE, no_way, quick
from loadtests.faults.contract import Evidence, Fault, Target

DELAY_MS = 300.0
MUCH_OF_IT = 0.8
TRIES = 3


class StoreSlow(Fault):
    """Delays on the wires of all nodes."""

    kind = "store-slow"
    colour = "#04844d"
    doing = "Slowing down"
    done = "slow"
    button = "Slow the store"
    strikes = "store"
    needs_wires = True
    explains = (("writes_late", DELAYED_WRITE),)
    sentence = f"Each answer of the session store takes {DELAY_MS:.0f} ms longer, for every node."

    def nothing_there(self, cluster: Cluster) -> str:
        """Without a store nothing can be slow."""
        return no_way(cluster)

    def inject(self, target: Target) -> None:
        """Slow all wires down."""
        _set_wires(target, Wire(delay_ms=DELAY_MS))

    def observe(self, target: Target) -> Evidence | None:
        """From each node, an answer takes that long."""
        replies = [target.cluster.ask_across(node) for node in target.nodes]
        slow = all(reply.ok and reply.took_ms >= MUCH_OF_IT * DELAY_MS for reply in replies)
        return tuple(reply.words for reply in replies) if slow else None

    def heal(self, target: Target) -> None:
        """All wires as they were."""
        _set_wires(target, Wire())

    def observe_healed(self, target: Target) -> Evidence | None:
        """From each node, one of a few answers takes far less."""
        replies = [quick(target.cluster, node, MUCH_OF_IT * DELAY_MS, TRIES) for node in target.nodes]
        return tuple(reply.words for reply in replies if reply is not None) if all(replies) else None


def _set_wires(target: Target, wire: Wire) -> None:
    for node in target.nodes:
        target.cluster.wire(node, wire)
