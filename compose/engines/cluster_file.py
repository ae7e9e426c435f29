"""`work/cluster.json`: what another process needs to attach to a running cluster. It holds secrets; mode 0600."""

from __future__ import annotations

from pathlib import Path

import msgspec

from compose.changes import Balancing, NodeChanges, Wire
from compose.cluster import ClusterSpec
from shared.errors import UsageError
from shared.whole_file import write_whole

SCHEMA = 1


class Process(msgspec.Struct, frozen=True):
    """A process of the cluster, so that it can be proved to be the same one later."""

    name: str
    pid: int
    born: str


class ClusterFile(msgspec.Struct, frozen=True):
    """A running cluster, as written down."""

    schema: int
    engine: str
    spec: ClusterSpec
    url: str
    admin_url: str
    node_urls: dict[str, str]
    database_url: str
    secret_key: str
    control_token: str
    store_url: str = ""
    inside_urls: dict[str, str] = {}
    """The nodes as the balancer reaches them, where that is another address than ours."""
    container_engine: str | None = None
    """The address of the Docker engine that runs it ("" is the usual one); None: none does."""
    processes: tuple[Process, ...] = ()
    next_key: str = ""
    """The signing key that nodes could change to; all begin with `secret_key`."""
    replica_url: str = ""
    sentinel_url: str = ""
    wires_url: str = ""
    """Where the wires say how they are."""
    wire_urls: dict[str, str] = {}
    """By end: where it reaches the session store, in place of `store_url`."""
    peers: dict[str, str] = {}
    """By node: where it listens for the other nodes (host:port), if they tell each other of sessions."""
    changes: dict[str, NodeChanges] = {}
    """By node: what it has from its next start on."""
    draining: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    """Nodes that were taken out of the balancer's membership."""
    balancing: Balancing = Balancing()
    wires: dict[str, Wire] = {}
    """By end, where it is not as it was at the start."""

    def reach(self, node: str) -> str:
        """A node's URL as the balancer knows it."""
        return self.inside_urls.get(node) or self.node_urls[node]


def work_folder(folder: Path) -> Path:
    """Where a cluster keeps what it needs to run; gone when it is stopped."""
    return folder / "work"


def write_cluster_file(folder: Path, cluster: ClusterFile) -> None:
    """Write it, for nobody else's eyes."""
    write_whole(work_folder(folder) / "cluster.json", msgspec.json.format(msgspec.json.encode(cluster)), mode=0o600)


def read_cluster_file(folder: Path) -> ClusterFile:
    """The cluster that was started in that folder.

    Raises:
        UsageError: no cluster runs there.
    """
    path = work_folder(folder) / "cluster.json"
    try:
        found = msgspec.json.decode(path.read_bytes(), type=ClusterFile)
    except (OSError, msgspec.DecodeError) as error:
        raise UsageError(
            f"no cluster runs in {folder}", why=f"{path.name}: {error}", next_step="twinshop up --architecture NAME"
        ) from error
    if found.schema != SCHEMA:
        raise UsageError(
            f"the cluster in {folder} was started by another version of Twinshop",
            why=f"its file has schema {found.schema}, this version reads {SCHEMA}",
            next_step="twinshop down --all",
        )
    return found
