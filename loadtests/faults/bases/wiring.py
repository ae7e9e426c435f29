"""Faults of the way to the session store: its wires are slowed or cut, and the store itself stays as it is."""

from __future__ import annotations

from compose.changes import Reply, Wire
from compose.cluster import Cluster
from loadtests.faults.contract import Evidence, Fault, Target


def no_store(cluster: Cluster) -> str:
    """Why there is no way to a store; "" if there is one."""
    architecture = cluster.spec.architecture
    return "" if architecture.uses_server else f"{architecture.name} has no session store to reach"


class CutsWire(Fault):
    """Cuts the wire of its victim; healing joins it again."""

    needs_wires = True

    def nothing_there(self, cluster: Cluster) -> str:
        """Without a store there is nothing to be cut off from."""
        return no_store(cluster)

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


def quickest(cluster: Cluster, end: str, tries: int) -> Reply | None:
    """The quickest of some answers over that wire, so that a busy machine is not taken for distance; None: not all
    were answered.
    """
    replies = []
    for _ in range(tries):
        replies.append(cluster.ask_across(end))
        if not replies[-1].ok:
            return None
    return min(replies, key=lambda reply: reply.took_ms)
