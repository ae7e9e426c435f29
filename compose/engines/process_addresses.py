"""Where each part of a cluster of processes listens: all on 127.0.0.1, on free ports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from compose.balancers.envoy_config import Listen
from compose.cluster import ClusterSpec
from compose.engines.cluster_file import ClusterFile
from compose.engines.part_names import BALANCER, REPLICA, SENTINEL, STORE, WIRES, other_parts, wire_ends
from compose.supervision.ports import HOST

ADMIN = "balancer's admin address"


def node_names(spec: ClusterSpec) -> tuple[str, ...]:
    """The nodes that a cluster begins with."""
    return tuple(f"n{number}" for number in range(1, spec.nodes + 1))


def wire_of(end: str) -> str:
    """What listens for that end."""
    return f"wire of {end}"


def peer_of(node: str) -> str:
    """Where that node listens for other nodes."""
    return f"replication of {node}"


def needed(spec: ClusterSpec) -> tuple[str, ...]:
    """Everything that needs a port, by name."""
    nodes = node_names(spec)
    return (*other_parts(spec), ADMIN, *map(wire_of, wire_ends(spec, nodes)), *peers_of(spec, nodes), *nodes)


def needed_by_one_more(spec: ClusterSpec, node: str) -> tuple[str, ...]:
    """The same for a node that joins later."""
    wires = () if spec.architecture.replicas else map(wire_of, wire_ends(spec, [node]))
    return (*wires, *peers_of(spec, [node]), node)


def peers_of(spec: ClusterSpec, nodes: Sequence[str]) -> tuple[str, ...]:
    """The addresses at which nodes tell each other of sessions, if they do."""
    return tuple(map(peer_of, nodes)) if spec.architecture.store == "replicated" else ()


def lay_out(written: ClusterFile, at: Mapping[str, int]) -> ClusterFile:
    """The cluster with those ports, by name, filled in."""
    spec, nodes = written.spec, node_names(written.spec)
    return msgspec.structs.replace(
        written,
        url=Listen(HOST, at[BALANCER]).url,
        admin_url=Listen(HOST, at[ADMIN]).url,
        store_url=_server_url(at.get(STORE)),
        replica_url=_server_url(at.get(REPLICA)),
        sentinel_url=_server_url(at.get(SENTINEL)),
        wires_url=f"tcp://{HOST}:{at[WIRES]}" if WIRES in at else "",
        **_of_nodes(spec, nodes, at),
    )


def lay_out_one_more(written: ClusterFile, node: str, at: Mapping[str, int]) -> ClusterFile:
    """The cluster with a node more."""
    new = _of_nodes(written.spec, (node,), at)
    return msgspec.structs.replace(
        written, **{name: {**getattr(written, name), **found} for name, found in new.items()}
    )


def _of_nodes(spec: ClusterSpec, nodes: Sequence[str], at: Mapping[str, int]) -> dict[str, dict[str, str]]:
    ends = [end for end in wire_ends(spec, nodes) if wire_of(end) in at]
    return {
        "node_urls": {node: Listen(HOST, at[node]).url for node in nodes},
        "wire_urls": {end: _server_url(at[wire_of(end)]) for end in ends},
        "peers": {node: f"{HOST}:{at[peer_of(node)]}" for node in nodes if peer_of(node) in at},
    }


def _server_url(port: int | None) -> str:
    return "" if port is None else f"redis://{HOST}:{port}/0"
