"""Where each part of a cluster is inside of its network, and how it is run as a container."""

import weakref
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from compose.applications.compose_file import ServiceContainer
from compose.applications.contract import NodeSetup
from compose.cluster import BALANCER, REPLICA, SENTINEL, STORE, WIRES, ClusterSpec, wire_ends
from compose.containers import container_user
from compose.engines import images
from compose.engines.cluster_file import ClusterFile, wire_of
from compose.engines.docker_containers import ContainerPlan, Containers
from compose.engines.routed_cluster import WIRES_FILE, RoutedCluster
from compose.engines.store import sentinel_settings, server_words
from compose.supervision.ports import HOST, Listen, port_of

DATABASE = "database"  # a container too, but no part that can be struck: both twins rest on it alike
BALANCER_PORT, PUBLIC_PORT, ADMIN_PORT, NODE_PORT, STORE_PORT, DATABASE_PORT = 8080, 8081, 9901, 8000, 6379, 5432
SENTINEL_PORT, WIRES_PORT, PEER_PORT = 26379, 8002, 8001
FIRST_WIRE_PORT = 7000
SPARE_WIRES = 3  # so many nodes can be added to a cluster with wires
ANYWHERE = "0.0.0.0"
DATABASE_USER = DATABASE_NAME = "shop"

CONFIG_FOLDER = Path("/etc/twinshop")
ACCESS_LOG = Path("/var/log/twinshop/access.ndjson")
REQUEST_LOG = Path("/var/log/twinshop/requests.ndjson")
KEPT_FOLDER = "/var/tmp"  # in the container's own layer, which outlives its processes but not itself; all may write
LOST_FOLDER = "/tmp"  # in memory: what is written there goes with the processes
STORE_VOLUME = "/data"  # Redis' image would make a volume for it; nothing is written there

NODE_MEMORY_MB, BALANCER_MEMORY_MB, STORE_MEMORY_MB, DATABASE_MEMORY_MB = 384, 256, 256, 512
WIRES_MEMORY_MB = 128
WORKER_MEMORY_MB = 128  # for each worker of a node beyond the first
WAITING_THREADS = 248  # of each worker, beside those at which it answers: event streams, replication, good measure
SERVICE_MEMORY_MB, SERVICE_PROCESSES = 1024, 1024  # at most, of what somebody's compose file describes
_NUMBERED = (BALANCER, DATABASE, STORE, REPLICA, SENTINEL, WIRES)  # by that, each has its address in the network
_PORTS = {BALANCER: BALANCER_PORT, DATABASE: DATABASE_PORT, STORE: STORE_PORT, REPLICA: STORE_PORT}
_PORTS |= {SENTINEL: SENTINEL_PORT, WIRES: WIRES_PORT}


def node_port(spec: ClusterSpec) -> int:
    """Where a node listens inside of its container."""
    described = spec.application
    return described.service.port if described is not None and described.service is not None else NODE_PORT


def placed(written: ClusterFile, parts: Iterable[str], address: Callable[[int], str]) -> ClusterFile:
    """The cluster with the places of these parts, and of its wires, in its network: the same for the life of it.

    `address`: that of a number, from 0 on.
    """
    spec = written.spec
    inside = {part: Listen(address(_number(part)), _PORTS.get(part) or node_port(spec)) for part in parts}
    wires = {wire_of(end): Listen(address(_number(WIRES)), wire_port(end)) for end in written.wire_urls}
    urls = {name: listen.url for name, listen in (inside | wires).items()}
    told = written.node_urls if spec.architecture.store == "replicated" else ()
    peers = {node: f"{inside[node].host}:{PEER_PORT}" for node in told if node in inside}
    return msgspec.structs.replace(written, inside_urls=written.inside_urls | urls, peers=written.peers | peers)


def _number(part: str) -> int:
    # Nodes stand behind all that may be there, so that it does not depend on which architecture has which parts.
    return _NUMBERED.index(part) if part in _NUMBERED else len(_NUMBERED) + int(part.removeprefix("n"))


def wire_port(end: str) -> int:
    """Where the wires listen for that end, inside."""
    return FIRST_WIRE_PORT + (0 if end == REPLICA else int(end.removeprefix("n")))


def with_spare_wire(spec: ClusterSpec) -> list[str]:
    """The nodes that may be added and have a wire then; none where nodes have no wires."""
    new = [f"n{spec.nodes + more}" for more in range(1, SPARE_WIRES + 1)]
    return [node for node in new if node in wire_ends(spec, new)]


class Blueprint:
    """How each part of a cluster is run, as things are when it is asked."""

    def __init__(self, cluster: RoutedCluster, containers: Containers) -> None:
        # The cluster holds this, too: in a circle, its connections would stay open until the collector comes by.
        self._cluster: RoutedCluster = weakref.proxy(cluster)
        self._containers = containers

    @cached_property
    def user(self) -> str:
        """Who runs in the containers that may run as anybody: uid:gid."""
        return container_user(self._containers.client)

    @cached_property
    def _node_image(self) -> str:
        # Of a cluster that runs already it is the one it was started with, whatever has changed in the rooms since.
        started = None if self._cluster.application.service() else self._containers.image("n1")
        return started or images.node_image()

    @property
    def _written(self) -> ClusterFile:
        return self._cluster.written

    def part(self, name: str) -> ContainerPlan:
        """How that part is run."""
        others = {
            BALANCER: self._balancer, DATABASE: self._database, SENTINEL: self._sentinel, WIRES: self._wires,
        }  # fmt: skip
        if name in (STORE, REPLICA):
            return self._server(name)
        return others[name]() if name in others else self._node(name)

    def _at(self, part: str) -> str:
        return self._written.reach(part).host

    def beside(self) -> list[ContainerPlan]:
        """How all that a service rests on is run, in the order in which it is started."""
        service = self._cluster.application.service()
        return [self._of_service(each) for each in service.beside] if service else []

    def _of_service(self, it: ServiceContainer) -> ContainerPlan:
        """As its compose file has it; nothing of it is published."""
        return ContainerPlan(
            name=it.name, role="beside", image=it.image, entrypoint=it.entrypoint, command=it.command, address="",
            publish={}, memory_mb=it.mem_limit // 2**20 or SERVICE_MEMORY_MB, environment=it.environment, user=it.user,
            binds=it.binds, in_memory=it.tmpfs, folder=it.working_dir, health=it.health, processes=SERVICE_PROCESSES,
        )  # fmt: skip

    def _setup(self, node: str) -> NodeSetup:
        written = self._written
        outside = f"@{HOST}:{port_of(written.database_url)}"
        database_url = written.database_url.replace(outside, f"@{DATABASE}:{DATABASE_PORT}")
        return written.node_setup(node, Listen(ANYWHERE, node_port(written.spec)), database_url, str(REQUEST_LOG))

    def _node(self, node: str) -> ContainerPlan:
        written, limits, setup = self._written, self._written.spec.limits, self._setup(node)
        published = {setup.listen.port: Listen.at(written.node_urls[node])}
        if service := self._cluster.application.service():
            plan, told = self._of_service(service.node), self._cluster.application.environment(written.spec, setup)
            return msgspec.structs.replace(
                plan, name=node, role="node", address=self._at(node), publish=published, health=(),
                environment=plan.environment | told,
            )  # fmt: skip
        program, *words = self._cluster.application.command(written.spec, setup, "python")
        return ContainerPlan(
            name=node,
            role="node",
            image=self._node_image,
            entrypoint=(program,),
            command=tuple(words),
            address=self._at(node),
            publish=published,
            memory_mb=NODE_MEMORY_MB + WORKER_MEMORY_MB * (limits.node_workers - 1),
            processes=(limits.node_threads + WAITING_THREADS) * limits.node_workers,  # Docker counts threads, too
            environment=self._cluster.application.environment(written.spec, setup),
            binds=(f"{self._cluster.log_files()[f'{node}.requests']}:{REQUEST_LOG}:rw",),
            in_memory=(LOST_FOLDER,),
            user=self.user,
        )

    def _balancer(self) -> ContainerPlan:
        cluster, written, public = self._cluster, self._written, self._written.spec.public
        published = {BALANCER_PORT: Listen.at(written.url), ADMIN_PORT: Listen.at(written.admin_url)}
        return ContainerPlan(
            name=BALANCER,
            image=cluster.balancer.image,
            command=tuple(cluster.balancer.words(cluster.balancer_site())),
            address=self._at(BALANCER),
            publish=published | ({PUBLIC_PORT: Listen(public.host, public.port)} if public else {}),
            memory_mb=BALANCER_MEMORY_MB,
            binds=(f"{cluster.told_folder}:{CONFIG_FOLDER}:ro", f"{cluster.own_access_log}:{ACCESS_LOG}:rw"),
            user=self.user,
        )

    def _server(self, name: str) -> ContainerPlan:
        """Redis, told all that would otherwise be for its image to say."""
        limits, address = self._written.spec.limits, self._at(name)
        own = {
            "bind": ANYWHERE,
            "port": str(STORE_PORT),
            "protected-mode": "no",
            # Without an append-only file a killed store comes back empty, so nothing may be left.
            "dir": KEPT_FOLDER if limits.store_append_only else LOST_FOLDER,
            "replica-announce-ip": address,
        }
        return ContainerPlan(
            name=name,
            image=images.STORE,
            entrypoint=("redis-server",),
            command=tuple(server_words(own, limits, self._cluster.follows(name))),
            address=address,
            publish={STORE_PORT: Listen.at(self._written.urls[name])},
            # Beside what it holds, a store needs room for what it tells its replica.
            memory_mb=max(STORE_MEMORY_MB, 2 * limits.store_memory_mb + 64),
            in_memory=(LOST_FOLDER, STORE_VOLUME),
            user=self.user,
        )

    def _sentinel(self) -> ContainerPlan:
        """It rewrites its configuration with all that it learns, and must find it again when it comes back."""
        file, written = f"{KEPT_FOLDER}/sentinel.conf", self._written
        lines = [
            f"port {SENTINEL_PORT}",
            f"bind {ANYWHERE}",
            "protected-mode no",
            f"dir {LOST_FOLDER}",
            *sentinel_settings(written.reach(STORE), written.reach(REPLICA), wired=bool(written.wire_urls)),
        ]
        # Only the first time: after a restart the file holds what it has learnt since, above all who is the store.
        begin = f'test -e {file} || printf "%s\\n" "$SENTINEL_CONF" > {file}'
        return ContainerPlan(
            name=SENTINEL,
            image=images.STORE,
            entrypoint=("sh", "-c"),
            command=(f"{begin}; exec redis-server {file} --sentinel",),
            environment={"SENTINEL_CONF": "\n".join(lines)},
            address=self._at(SENTINEL),
            publish={SENTINEL_PORT: Listen.at(written.sentinel_url)},
            memory_mb=STORE_MEMORY_MB,
            in_memory=(LOST_FOLDER, STORE_VOLUME),
            user=self.user,
        )

    def _wires(self) -> ContainerPlan:
        """One for all ends; a container's ports cannot be changed later, so some are spare for nodes to come."""
        written = self._written
        wires = {wire_port(end): Listen.at(url) for end, url in (written.spare_wires | written.wire_urls).items()}
        return ContainerPlan(
            name=WIRES,
            role="wire",
            image=self._node_image,
            entrypoint=("python", "-P"),
            command=("-m", "compose.delay_proxy", str(CONFIG_FOLDER / WIRES_FILE)),
            address=self._at(WIRES),
            publish={WIRES_PORT: Listen.at(written.wires_url), **wires},
            memory_mb=WIRES_MEMORY_MB,
            binds=(f"{self._cluster.told_folder}:{CONFIG_FOLDER}:ro",),
            in_memory=(LOST_FOLDER,),
            user=self.user,
            init=True,
        )

    def _database(self) -> ContainerPlan:
        """PostgreSQL, in memory: it lives as long as the cluster, and the disk's speed is not what is measured."""
        written = self._written
        return ContainerPlan(
            name=DATABASE,
            image=images.DATABASE,
            # Of its own accord it takes 100 connections; several nodes, each with a pool, may want more.
            command=("postgres", "-c", "fsync=off", "-c", "max_connections=200"),
            address=self._at(DATABASE),
            publish={DATABASE_PORT: Listen.at(written.database_url)},
            memory_mb=DATABASE_MEMORY_MB,
            environment={
                "POSTGRES_USER": DATABASE_USER,
                "POSTGRES_DB": DATABASE_NAME,
                "LANG": "C.UTF-8",  # the database's encoding follows it
                "POSTGRES_PASSWORD": urlsplit(written.database_url).password or "",
            },
            in_memory=("/var/lib/postgresql/data",),
        )
