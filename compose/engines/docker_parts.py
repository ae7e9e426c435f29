"""How each part of a cluster is run as a container, and where it is inside the cluster's network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from compose.balancer import Listen
from compose.cluster_file import ClusterFile
from compose.containers import images
from compose.engines.docker_network import Network
from compose.engines.docker_part import Part
from compose.engines.process_parts import balancer_options
from compose.node_settings import node_environment
from compose.part_names import BALANCER, REPLICA, SENTINEL, STORE, WIRES
from compose.ports import HOST, port_of

DATABASE = "database"
"""A container too, but no part that can be struck: both twins rest on it alike."""
BALANCER_PORT, ADMIN_PORT, NODE_PORT, STORE_PORT, DATABASE_PORT = 8080, 9901, 8000, 6379, 5432
SENTINEL_PORT, WIRES_PORT, PEER_PORT = 26379, 8002, 8001
ANYWHERE = "0.0.0.0"
DATABASE_USER = DATABASE_NAME = "shop"

CONFIG_FOLDER = Path("/etc/twinshop")
ACCESS_LOG = Path("/var/log/twinshop/access.ndjson")
REQUEST_LOG = Path("/var/log/twinshop/requests.ndjson")
KEPT_FOLDER = "/var/tmp"
"""In the container's own layer, which outlives its processes but not itself; anybody may write there."""

NODE_MEMORY_MB, BALANCER_MEMORY_MB, STORE_MEMORY_MB, DATABASE_MEMORY_MB = 384, 256, 256, 512
WORKER_MEMORY_MB = 128
"""For each worker of a node beyond the first."""
NodeCommand = Callable[[ClusterFile], list[str]]
_NUMBERS = {BALANCER: 0, DATABASE: 1, STORE: 2, REPLICA: 3, SENTINEL: 4, WIRES: 5}
_PORTS = {BALANCER: BALANCER_PORT, DATABASE: DATABASE_PORT, STORE: STORE_PORT, REPLICA: STORE_PORT}
_PORTS |= {SENTINEL: SENTINEL_PORT, WIRES: WIRES_PORT}


def inside(network: Network, part: str) -> str:
    """Where other parts reach that one, as a URL: the same for the life of the cluster."""
    if part in _NUMBERS:
        return Listen(network.address(_NUMBERS[part]), _PORTS[part]).url
    return Listen(network.address(len(_NUMBERS) + int(part.removeprefix("n"))), NODE_PORT).url


def shop_command(cluster: ClusterFile) -> list[str]:
    """The real shop."""
    app = cluster.spec.architecture.app
    return ["python", "-P", "-m", "shared.node", app, "--host", ANYWHERE, "--port", str(NODE_PORT)]


class Blueprint(msgspec.Struct, frozen=True):
    """All that it takes to say how each part is run."""

    written: ClusterFile
    node_image: str
    node_command: NodeCommand
    user: str
    """Who runs in the containers that may run as anybody: uid:gid."""
    configuration: Path
    """The folder with the balancer's files."""
    logs: dict[str, Path]
    """Here, by name."""

    def part(self, name: str, keys: tuple[str, str] = ("", "")) -> Part:
        """How that part is run; `keys` are a node's: what it signs with, and what else it accepts."""
        match name:
            case "balancer":
                return self._balancer()
            case "database":
                return self._database()
            case "store":
                return self._store()
            case _:
                return self._node(name, *keys)

    def _at(self, part: str) -> Listen:
        return Listen.at(self.written.inside_urls[part])

    def _node(self, node: str, key: str, fallback: str) -> Part:
        written, limits = self.written, self.written.spec.limits
        outside = f"@{HOST}:{port_of(written.database_url)}"
        environment = node_environment(
            written.spec,
            node,
            database_url=written.database_url.replace(outside, f"@{DATABASE}:{DATABASE_PORT}"),
            secret_key=key,
            fallback_key=fallback,
            control_token=written.control_token,
            request_log=str(REQUEST_LOG),
            store_url=f"redis://{STORE}:{STORE_PORT}/0" if written.store_url else "",
            replica_self=self._peer(node) if written.spec.architecture.store == "replicated" else "",
            replica_peers=",".join(self._peers(node)) if written.spec.architecture.store == "replicated" else "",
        )
        program, *words = self.node_command(written)
        return Part(
            name=node,
            role="node",
            image=self.node_image,
            entrypoint=(program,),
            command=tuple(words),
            address=self._at(node).host,
            publish={NODE_PORT: port_of(written.node_urls[node])},
            memory_mb=NODE_MEMORY_MB + WORKER_MEMORY_MB * (limits.node_workers - 1),
            environment=environment,
            mounts={self.logs[f"{node}.requests"]: (REQUEST_LOG, True)},
            in_memory=("/tmp",),
            user=self.user,
        )

    def _peer(self, node: str) -> str:
        """Where it listens for other nodes' sessions."""
        return f"{self._at(node).host}:{PEER_PORT}"

    def _peers(self, node: str) -> list[str]:
        """The others that it should know of when it starts."""
        written = self.written
        return [self._peer(other) for other in written.node_urls if other != node and other not in written.outside]

    def _balancer(self) -> Part:
        written = self.written
        return Part(
            name=BALANCER,
            role=BALANCER,
            image=images.BALANCER,
            command=tuple(balancer_options(CONFIG_FOLDER / "balancer.json")),
            address=self._at(BALANCER).host,
            publish={BALANCER_PORT: port_of(written.url), ADMIN_PORT: port_of(written.admin_url)},
            memory_mb=BALANCER_MEMORY_MB,
            mounts={self.configuration: (CONFIG_FOLDER, False), self.logs["access"]: (ACCESS_LOG, True)},
            user=self.user,
        )

    def _store(self) -> Part:
        return Part(
            name=STORE,
            role=STORE,
            image=images.STORE,
            command=("--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"),
            address=self._at(STORE).host,
            publish={STORE_PORT: port_of(self.written.store_url)},
            memory_mb=STORE_MEMORY_MB,
            in_memory=("/data",),
        )

    def _database(self) -> Part:
        """PostgreSQL, in memory: it lives as long as the cluster, and the disk's speed is not what is measured."""
        written = self.written
        return Part(
            name=DATABASE,
            role=DATABASE,
            image=images.DATABASE,
            command=("postgres", "-c", "fsync=off", "-c", "max_connections=200"),
            address=self._at(DATABASE).host,
            publish={DATABASE_PORT: port_of(written.database_url)},
            memory_mb=DATABASE_MEMORY_MB,
            environment={
                "POSTGRES_USER": DATABASE_USER,
                "POSTGRES_DB": DATABASE_NAME,
                "LANG": "C.UTF-8",  # the database's encoding follows it
                "POSTGRES_PASSWORD": urlsplit(written.database_url).password or "",
            },
            in_memory=("/var/lib/postgresql/data",),
        )
