"""What a fault is tried on: a cluster in memory, of an architecture that has what it strikes."""

from __future__ import annotations

from pathlib import Path

from compose.architectures import ARCHITECTURES
from compose.cluster import Limits
from compose.engines.contract import Cluster
from loadtests.faults import Fault, Target
from shared.sessions import HeldSession
from tests.loadtests.scripted_cluster import ScriptedCluster

REMEMBERS = "haproxy-stick-table"
"""A balancer that keeps in its own memory who belongs where."""
TRIED = (("sticky-memory", "envoy"), ("redis", "envoy"), ("redis-replica", "envoy"), ("sticky-memory", REMEMBERS))
VICTIM = "n2"


def victim_of(fault: Fault) -> str:
    """A node, or the part that it strikes."""
    return VICTIM if fault.strikes == "node" else fault.strikes


def target_for(fault: Fault, folder: Path, *, prepared: bool = True) -> Target:
    """That fault's target, on a cluster whose nodes hold sessions."""
    limits = fault.prepare(Limits()) if prepared else Limits()
    for name, balancer in TRIED:
        held = [HeldSession(f"{number}", f"user-{number:04d}") for number in range(1, 21)]
        holding = {VICTIM: held} if ARCHITECTURES[name].store == "memory" else {}
        cluster = ScriptedCluster(folder, holding, architecture=name, limits=limits, balancer=balancer)
        if something_there(fault, cluster):
            return target_on(fault, cluster)
    raise AssertionError(f"{fault.kind} finds nothing to strike in any of {TRIED}")


def something_there(fault: Fault, cluster: Cluster) -> bool:
    """The cluster has what the fault strikes."""
    return victim_of(fault) in (*cluster.parts(), "cluster") and not fault.nothing_there(cluster)


def target_on(fault: Fault, cluster: Cluster) -> Target:
    """As the run makes it."""
    victim = victim_of(fault)
    before = None if victim == "cluster" else cluster.observe(victim)
    return Target(cluster, victim, before, tuple(node.name for node in cluster.nodes()))
