"""Faults of the way to the session store: its wires are slowed or cut, and the store itself stays as it is."""

from __future__ import annotations

from compose.changes import Reply, Wire
from compose.engines.contract import Cluster
from loadtests.faults.contract import Evidence, Fault, Target


def no_way(cluster: Cluster) -> str:
    """Why no node has a wire to a store; "" if all have."""
    architecture = cluster.spec.architecture
    if not architecture.uses_server:
        return f"{architecture.name} has no session store to reach"
    # A sentinel sends nodes to whichever store is written to, past any wire.
    return f"the nodes of {architecture.name} ask a sentinel for their store" if architecture.replicas else ""


class CutsWire(Fault):
    """Cuts the wire of its victim; healing joins it again."""

    needs_wires = True

    def inject(self, target: Target) -> None:
        """Cut it."""
        target.cluster.wire(target.victim, Wire(cut=True))

    def observe(self, target: Target) -> Evidence | None:
        """No answer comes over that wire, while the store itself answers."""
        reply = target.cluster.ask_across(target.victim)
        if reply.ok:
            return None
        store = target.cluster.observe("store")
        return (reply.words, *store.evidence) if store.answers else None

    def heal(self, target: Target) -> None:
        """Join it again."""
        target.cluster.wire(target.victim, Wire())

    def observe_healed(self, target: Target) -> Evidence | None:
        """The store answers over that wire."""
        reply = target.cluster.ask_across(target.victim)
        return (reply.words,) if reply.ok else None


def quick(cluster: Cluster, end: str, below_ms: float, tries: int) -> Reply | None:
    """An answer over that wire that came sooner than that; None if none of some did."""
    replies = (cluster.ask_across(end) for _ in range(tries))
    return next((reply for reply in replies if reply.ok and reply.took_ms < below_ms), None)
