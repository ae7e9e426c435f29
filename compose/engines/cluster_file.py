"""`work/cluster.json`: what another process needs to attach to a running cluster. It holds secrets; mode 0600.

Where each part listens stands in it; here is also who needs an address, and how ports become a cluster.
"""

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from compose.applications.contract import NodeSetup
from compose.cluster import (
    BALANCER,
    CACHE,
    REPLICA,
    SENTINEL,
    STORE,
    WIRES,
    Balancing,
    ClusterSpec,
    Key,
    NodeChanges,
    Wire,
    other_parts,
    wire_ends,
)
from compose.supervision.ports import HOST, Listen, free_ports
from shared.errors import UsageError
from shared.ndjson import UNDECODABLE
from shared.schemas import decode_versioned
from shared.whole_file import write_whole

SCHEMA = 2  # 1 did not say where wires are inside of a network: nodes would be sent to addresses that are not theirs
ADMIN = "balancer's admin address"


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
    """Parts, and wires (`wire_of`), as other parts reach them, where that is another address than ours."""
    container_engine: str | None = None
    """The address of the Docker engine that runs it ("" is the usual one); None: none does."""
    processes: tuple[Process, ...] = ()
    next_key: str = ""
    """The signing key that nodes could change to; all begin with `secret_key`."""
    replica_url: str = ""
    sentinel_url: str = ""
    wires_url: str = ""
    """Where the wires say how they are."""
    cache_url: str = ""
    """Where people come, if there is a cache of pages before the balancer."""
    wire_urls: dict[str, str] = {}
    """By end: where it reaches the session store, in place of `store_url`."""
    spare_wires: dict[str, str] = {}
    """The same of nodes to come, where a wire cannot be added later."""
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

    @property
    def urls(self) -> dict[str, str]:
        """Where we reach each part, dead ones too."""
        others = {
            BALANCER: self.url,
            STORE: self.store_url,
            REPLICA: self.replica_url,
            SENTINEL: self.sentinel_url,
            WIRES: self.wires_url,
            CACHE: self.cache_url,
        }
        return self.node_urls | {part: url for part, url in others.items() if url}

    def reach(self, part: str) -> Listen:
        """Where other parts reach that one."""
        return Listen.at(self.inside_urls.get(part) or self.urls[part])

    def store_for(self, end: str) -> Listen:
        """Where that end reaches the session store: by its wire, if it has one."""
        if end not in self.wire_urls:
            return self.reach(STORE)
        return Listen.at(self.inside_urls.get(wire_of(end)) or self.wire_urls[end])

    def node_setup(self, node: str, listen: Listen, database_url: str, request_log: str, folder: str = "") -> NodeSetup:
        """What that node is started with from its next start on; addresses and paths are as the node sees them."""
        changed = self.changes.get(node, NodeChanges())
        return NodeSetup(
            node,
            listen=listen,
            database_url=database_url,
            request_log=request_log,
            folder=folder,
            secret_key=self.keys[changed.key],
            fallback_key=self.keys[changed.fallback] if changed.fallback else "",
            session_format=changed.session_format,
            control_token=self.control_token,
            store_url=f"redis://{self.store_for(node)}/0" if self.store_url else "",
            sentinel=str(self.reach(SENTINEL)) if self.sentinel_url else "",
            replica_self=self.peers.get(node, ""),
            replica_peers=",".join(address for peer, address in self.peers.items() if peer != node),
        )

    @property
    def keys(self) -> dict[Key, str]:
        """The signing keys, by name."""
        return {"own": self.secret_key, "next": self.next_key}


_decode_cluster_file = msgspec.json.Decoder(ClusterFile).decode


def first_ports(spec: ClusterSpec, *others: str) -> dict[str, int]:
    """A free port for everything that listens, and for these others, by name; the balancer's may be asked for."""
    at = _free_for(spec, spec.node_names, (*other_parts(spec), ADMIN, *others))
    return at if spec.port is None else at | {BALANCER: spec.port}


def ports_of_one_more(spec: ClusterSpec, node: str) -> dict[str, int]:
    """The same for a node that joins later."""
    return _free_for(spec, [node], ())


def _free_for(spec: ClusterSpec, nodes: Sequence[str], others: Sequence[str]) -> dict[str, int]:
    # With a replica the wires are the replica's, not the nodes'.
    wires = [wire_of(end) for end in wire_ends(spec, nodes) if end in (*nodes, *others)]
    # Nodes that tell each other of sessions listen for that, too.
    peers = map(_peer_of, nodes) if spec.architecture.store == "replicated" else ()
    names = (*others, *wires, *peers, *nodes)
    return dict(zip(names, free_ports(len(names)), strict=True))


def new_cluster(engine: str, spec: ClusterSpec, database_url: str, at: Mapping[str, int]) -> ClusterFile:
    """A cluster with new secrets, whose parts listen at those ports of this machine."""
    written = ClusterFile(
        schema=SCHEMA,
        engine=engine,
        spec=spec,
        url=Listen(HOST, at[BALANCER]).url,
        admin_url=Listen(HOST, at[ADMIN]).url,
        node_urls={},
        database_url=database_url,
        secret_key=secrets.token_hex(32),
        # Made at the start, though most runs never use it: a swap may be carried out by another process.
        next_key=secrets.token_hex(32),
        control_token=secrets.token_urlsafe(24),
        store_url=server_url(at.get(STORE)),
        replica_url=server_url(at.get(REPLICA)),
        sentinel_url=server_url(at.get(SENTINEL)),
        wires_url=f"tcp://{HOST}:{at[WIRES]}" if WIRES in at else "",
        cache_url=Listen(HOST, at[CACHE]).url if CACHE in at else "",
    )
    return with_nodes(written, spec.node_names, at)


def with_nodes(written: ClusterFile, nodes: Sequence[str], at: Mapping[str, int]) -> ClusterFile:
    """The cluster with these nodes too, at those ports, by name."""
    ends = [end for end in wire_ends(written.spec, nodes) if wire_of(end) in at]
    return msgspec.structs.replace(
        written,
        node_urls=written.node_urls | {node: Listen(HOST, at[node]).url for node in nodes},
        wire_urls=written.wire_urls | {end: server_url(at[wire_of(end)]) for end in ends},
        peers=written.peers | {node: f"{HOST}:{at[_peer_of(node)]}" for node in nodes if _peer_of(node) in at},
    )


def wire_of(end: str) -> str:
    """The name of that end's wire, as of an address."""
    return f"wire of {end}"


def _peer_of(node: str) -> str:
    return f"replication of {node}"


def server_url(port: int | None) -> str:
    """A store's URL, or a wire's to it, as we reach it; empty if there is none."""
    return "" if port is None else f"redis://{HOST}:{port}/0"


def work_folder(folder: Path) -> Path:
    """Where a cluster keeps what it needs to run; gone when it is stopped."""
    return folder / "work"


def write_cluster_file(folder: Path, cluster: ClusterFile) -> None:
    """Write it, for nobody else's eyes."""
    # Whole or not at all: `twinshop status` may read it in the same moment.
    write_whole(work_folder(folder) / "cluster.json", msgspec.json.format(msgspec.json.encode(cluster)), mode=0o600)


def read_cluster_file(folder: Path) -> ClusterFile:
    """The cluster that was started in that folder.

    Raises:
        UsageError: no cluster runs there, or one of a version of Twinshop with another schema.
    """
    path = work_folder(folder) / "cluster.json"
    try:
        return decode_versioned(
            path.read_bytes(), _decode_cluster_file, SCHEMA, f"the file of the cluster in {folder}",
            next_step="twinshop down --all", error=UsageError,
        )  # fmt: skip
    except (OSError, *UNDECODABLE) as error:
        raise UsageError(
            f"no cluster runs in {folder}", why=f"{path.name}: {error}", next_step="twinshop up --architecture NAME"
        ) from error
