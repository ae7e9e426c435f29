"""How each part of a cluster is run as a container: its image, command, mounts, limits and what it publishes."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from compose.balancer import Listen
from compose.cluster_file import ClusterFile
from compose.containers import images
from compose.engines.process_parts import balancer_options
from compose.node_settings import node_environment
from compose.ports import HOST, port_of

BALANCER, STORE, DATABASE = "balancer", "store", "database"
BALANCER_PORT, ADMIN_PORT, NODE_PORT, STORE_PORT, DATABASE_PORT = 8080, 9901, 8000, 6379, 5432
DATABASE_USER = DATABASE_NAME = "shop"

CONFIG_FOLDER = Path("/etc/twinshop")
ACCESS_LOG = Path("/var/log/twinshop/access.ndjson")
REQUEST_LOG = Path("/var/log/twinshop/requests.ndjson")

MEGABYTE = 2**20
NODE_MEMORY_MB, BALANCER_MEMORY_MB, STORE_MEMORY_MB, DATABASE_MEMORY_MB = 384, 256, 256, 512
PROCESSES = 256


class Part(msgspec.Struct, frozen=True):
    """A container to be made."""

    name: str
    role: str
    image: str
    command: tuple[str, ...]
    address: str
    """Its own, fixed for the life of the cluster: a node that comes back is where it was."""
    publish: dict[int, int]
    """Its port: the port of 127.0.0.1 that leads there."""
    memory_mb: int
    environment: dict[str, str] = {}
    entrypoint: tuple[str, ...] = ()
    """Empty: the image's own."""
    mounts: dict[Path, tuple[Path, bool]] = {}
    """Ours: theirs, and whether they may write there."""
    in_memory: tuple[str, ...] = ()
    """Folders that are lost with the container; without, the image would make a volume."""
    user: str = ""
    """uid:gid; empty: the image's own, which sheds root by itself."""

    def host_settings(self) -> dict[str, Any]:
        """Docker's HostConfig."""
        return {
            "port_bindings": {f"{inside}/tcp": (HOST, outside) for inside, outside in self.publish.items()},
            "binds": [f"{ours}:{theirs}:{'rw' if write else 'ro'}" for ours, (theirs, write) in self.mounts.items()],
            "tmpfs": dict.fromkeys(self.in_memory, ""),
            "mem_limit": self.memory_mb * MEGABYTE,
            "pids_limit": PROCESSES,
            "security_opt": ["no-new-privileges"],
            "cap_drop": ["ALL"] if self.user else None,
            # A part that dies stays dead: who starts it again is for the scenario to say.
            "restart_policy": {"Name": "no"},
        }


def node_part(cluster: ClusterFile, node: str, command: list[str], *, user: str, log: Path) -> Part:
    """A node of the shop; `command` is a whole one."""
    environment = node_environment(
        cluster.spec,
        node,
        database_url=cluster.database_url.replace(
            f"@{HOST}:{port_of(cluster.database_url)}", f"@{DATABASE}:{DATABASE_PORT}"
        ),
        secret_key=cluster.secret_key,
        control_token=cluster.control_token,
        request_log=str(REQUEST_LOG),
        store_url=f"redis://{STORE}:{STORE_PORT}/0" if cluster.store_url else "",
    )
    return Part(
        name=node,
        role="node",
        image=images.node_image(),
        entrypoint=(command[0],),
        command=tuple(command[1:]),
        address=Listen.at(cluster.inside_urls[node]).host,
        publish={NODE_PORT: port_of(cluster.node_urls[node])},
        memory_mb=NODE_MEMORY_MB,
        environment=environment,
        mounts={log: (REQUEST_LOG, True)},
        in_memory=("/tmp",),
        user=user,
    )


def shop_command(cluster: ClusterFile) -> list[str]:
    """The real shop."""
    app = cluster.spec.architecture.app
    return ["python", "-P", "-m", "shared.node", app, "--host", "0.0.0.0", "--port", str(NODE_PORT)]


def balancer_part(cluster: ClusterFile, address: str, *, user: str, configuration: Path, log: Path) -> Part:
    """Envoy; `configuration` is the folder with its two files."""
    return Part(
        name=BALANCER,
        role=BALANCER,
        image=images.BALANCER,
        command=tuple(balancer_options(CONFIG_FOLDER / "balancer.json")),
        address=address,
        publish={BALANCER_PORT: port_of(cluster.url), ADMIN_PORT: port_of(cluster.admin_url)},
        memory_mb=BALANCER_MEMORY_MB,
        mounts={configuration: (CONFIG_FOLDER, False), log: (ACCESS_LOG, True)},
        user=user,
    )


def store_part(cluster: ClusterFile, address: str) -> Part:
    """Redis. It writes nothing to the disk: a killed store comes back empty."""
    return Part(
        name=STORE,
        role=STORE,
        image=images.STORE,
        command=("--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"),
        address=address,
        publish={STORE_PORT: port_of(cluster.store_url)},
        memory_mb=STORE_MEMORY_MB,
        in_memory=("/data",),
    )


def database_part(cluster: ClusterFile, address: str) -> Part:
    """PostgreSQL, in memory: it lives as long as the cluster, and the disk's speed is not what is measured."""
    return Part(
        name=DATABASE,
        role=DATABASE,
        image=images.DATABASE,
        command=("postgres", "-c", "fsync=off", "-c", "max_connections=200"),
        address=address,
        publish={DATABASE_PORT: port_of(cluster.database_url)},
        memory_mb=DATABASE_MEMORY_MB,
        environment={
            "POSTGRES_USER": DATABASE_USER,
            "POSTGRES_DB": DATABASE_NAME,
            "LANG": "C.UTF-8",  # the database's encoding follows it
            "POSTGRES_PASSWORD": urlsplit(cluster.database_url).password or "",
        },
        in_memory=("/var/lib/postgresql/data",),
    )
