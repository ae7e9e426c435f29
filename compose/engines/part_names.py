"""The names of a cluster's parts that are no nodes: the same in every engine, in logs, ledgers and scenarios."""

from __future__ import annotations

from collections.abc import Iterable

from compose.cluster import ClusterSpec
from shared.errors import UsageError

BALANCER = "balancer"
STORE = "store"
REPLICA = "replica"
"""The store's copy; after a promotion it is the one that is written to."""
SENTINEL = "sentinel"
"""Watches the store, and promotes the replica when it dies."""
WIRES = "wires"
"""Carries what ends of the cluster and the session store say to each other, and can be told to be slow, or cut."""


def has_wires(spec: ClusterSpec) -> bool:
    """Whether that cluster reaches its session store through wires."""
    return spec.architecture.uses_server and (spec.wires or spec.limits.store_distance_ms > 0)


def wire_ends(spec: ClusterSpec, nodes: Iterable[str]) -> tuple[str, ...]:
    """Who reaches the session store through a wire.

    Nodes that ask a sentinel where the store is do not: they are told the store's own address. The replica does.
    """
    if not has_wires(spec):
        return ()
    return (REPLICA,) if spec.architecture.replicas else tuple(nodes)


def check_distance(spec: ClusterSpec) -> None:
    """Make sure that the store can be as far away as the limits say.

    Raises:
        UsageError: nodes would reach it without a wire, and it would be near.
    """
    if spec.limits.store_distance_ms > 0 and spec.architecture.uses_server and spec.architecture.replicas:
        raise UsageError(
            f"the store of {spec.architecture.name} cannot be {spec.limits.store_distance_ms:g} ms away",
            why="its nodes ask a sentinel where it is, and go there without a wire",
            next_step="choose an architecture without a replica, or leave store_distance_ms away",
        )


def other_parts(spec: ClusterSpec) -> tuple[str, ...]:
    """All parts of such a cluster but its nodes."""
    stored = (STORE,) if spec.architecture.uses_server else ()
    copied = (REPLICA, SENTINEL) if stored and spec.architecture.replicas else ()
    return (BALANCER, *stored, *copied, *((WIRES,) if has_wires(spec) else ()))
