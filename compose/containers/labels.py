"""The labels by which what Twinshop makes in a Docker engine is known for ours. Nothing without them is touched."""

from __future__ import annotations

RUN = "twinshop.run"
CLUSTER = "twinshop.cluster"
"""The architecture: a run has several clusters, one after the other."""
ROLE = "twinshop.role"
"""balancer, node, store, replica, sentinel, wire, database, network."""
SETTINGS = "twinshop.settings"
"""On a container: the hash of how it was made. A part that has other settings by now is made anew when it starts."""
INPUTS = "twinshop.inputs"
"""On the node's image: the hash of all that went into it."""


def labels(run: str, cluster: str, role: str) -> dict[str, str]:
    """What a thing of that run carries."""
    return {RUN: run, CLUSTER: cluster, ROLE: role}


def of_run(run: str, cluster: str | None = None) -> dict[str, list[str]]:
    """The filter that finds the things of a run, or of one of its clusters, and no others."""
    wanted = [f"{RUN}={run}"]
    if cluster is not None:
        wanted.append(f"{CLUSTER}={cluster}")
    return {"label": wanted}
