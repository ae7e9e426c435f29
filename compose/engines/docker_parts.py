"""How each part of a cluster is run as a container."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from compose.applications.compose_file import ServiceContainer
from compose.applications.contract import Application, NodeSetup
from compose.balancers.contract import Balancer, Site
from compose.cluster import BALANCER, REPLICA, SENTINEL, STORE, WIRES
from compose.delay_proxy import Link, WireFile
from compose.engines import images
from compose.engines.cluster_file import ClusterFile
from compose.engines.docker_network import (
    ADMIN_PORT,
    BALANCER_PORT,
    DATABASE,
    DATABASE_PORT,
    PUBLIC_PORT,
    SENTINEL_PORT,
    STORE_PORT,
    WIRES_PORT,
    node_port,
    wire_port,
)
from compose.engines.store import sentinel_settings, store_settings
from compose.supervision.ports import HOST, Listen, port_of

ANYWHERE = "0.0.0.0"
DATABASE_USER = DATABASE_NAME = "shop"

CONFIG_FOLDER = Path("/etc/twinshop")
ACCESS_LOG = Path("/var/log/twinshop/access.ndjson")
REQUEST_LOG = Path("/var/log/twinshop/requests.ndjson")
KEPT_FOLDER = "/var/tmp"  # in the container's own layer, which outlives its processes but not itself; all may write
LOST_FOLDER = "/tmp"  # in memory: what is written there goes with the processes
STORE_VOLUME = "/data"  # Redis' image would make a volume for it; nothing is written there
WIRES_FILE = "wires.json"

NODE_MEMORY_MB, BALANCER_MEMORY_MB, STORE_MEMORY_MB, DATABASE_MEMORY_MB = 384, 256, 256, 512
WIRES_MEMORY_MB = 128
WORKER_MEMORY_MB = 128  # for each worker of a node beyond the first
WAITING_THREADS = 248  # of each worker, beside those at which it answers: event streams, replication, good measure
SERVICE_MEMORY_MB, SERVICE_PROCESSES = 1024, 1024  # at most, of what somebody's compose file describes
MEGABYTE = 2**20
PROCESSES = 256  # threads count as processes do

NodeCommand = Callable[[ClusterFile], list[str]]


class ContainerPlan(msgspec.Struct, frozen=True):
    """A container to be made."""

    name: str
    image: str
    command: tuple[str, ...]
    address: str
    """Its own, fixed for the life of the cluster: a node that comes back is where it was."""
    publish: dict[int, int]
    """Its port: the port of 127.0.0.1 that leads there."""
    memory_mb: int
    role: str = ""
    """For its label, if it is not its name: of a node, say."""
    public: Listen | None = None
    """The address of this machine that leads to its `PUBLIC_PORT`: for people with browsers, anywhere they may be."""
    processes: int = PROCESSES
    """The most it may have."""
    environment: dict[str, str] = {}
    entrypoint: tuple[str, ...] = ()
    """Empty: the image's own."""
    mounts: dict[Path, tuple[Path, bool]] = {}
    """Ours: theirs, and whether they may write there."""
    in_memory: tuple[str, ...] = ()
    """Folders that are lost with the container; without, the image would make a volume."""
    user: str = ""
    """uid:gid; empty: the image's own, which sheds root by itself."""
    init: bool = False
    """A first process that passes signals on: for programs that, as the first one themselves, would not hear them."""
    binds: tuple[str, ...] = ()
    """Folders and files of this machine beside `mounts`, as somebody's compose file has them."""
    folder: str = ""
    """In which it is started; empty: the image's own."""
    health: tuple[str, ...] = ()
    """The command that says, in the container, whether it is well, if others wait for that; empty: nobody asks."""

    @property
    def settings(self) -> str:
        """Another one as soon as it would be started with another command or environment."""
        return hashlib.sha256(repr((self.command, self.environment)).encode()).hexdigest()[:12]

    @property
    def published(self) -> dict[int, Listen]:
        """Its ports, and the addresses of this machine that lead there."""
        ours = {inside: Listen(HOST, outside) for inside, outside in self.publish.items()}
        return ours if self.public is None else {**ours, PUBLIC_PORT: self.public}

    def host_settings(self) -> dict[str, Any]:
        """Docker's HostConfig."""
        return {
            "port_bindings": {f"{inside}/tcp": (at.host, at.port) for inside, at in self.published.items()},
            "binds": [
                *(f"{ours}:{theirs}:{'rw' if write else 'ro'}" for ours, (theirs, write) in self.mounts.items()),
                *self.binds,
            ],
            "tmpfs": dict.fromkeys(self.in_memory, ""),
            "mem_limit": self.memory_mb * MEGABYTE,
            "pids_limit": self.processes,
            "init": self.init,
            "security_opt": ["no-new-privileges"],
            "cap_drop": ["ALL"] if self.user else None,  # an image that sheds root by itself needs some for that
            # A part that dies stays dead: who starts it again is for the scenario to say.
            "restart_policy": {"Name": "no"},
        }


class Blueprint(msgspec.Struct, frozen=True):
    """All that it takes to say how each part is run."""

    written: ClusterFile
    application: Application
    balancer: Balancer
    node_image: str
    node_command: NodeCommand | None
    user: str
    """Who runs in the containers that may run as anybody: uid:gid."""
    configuration: Path
    """The folder with a folder each for what the balancer and the wires read."""
    logs: dict[str, Path]
    """Here, by name."""
    access_log: Path
    """As the balancer writes it, here."""
    spare: dict[int, int] = {}
    """Ports of the wires that no end uses yet, as they are published."""

    def part(self, name: str, *, follows: str = "") -> ContainerPlan:
        """How that part is run; `follows`: whose copy (host:port) a store or replica is to be, "": nobody's."""
        if name in (STORE, REPLICA):
            return self._server(name, self.written.server_urls[name], follows)
        others = {
            BALANCER: self._balancer, DATABASE: self._database, SENTINEL: self._sentinel, WIRES: self._wires,
        }  # fmt: skip
        return others[name]() if name in others else self._node(name)

    def _at(self, part: str) -> Listen:
        return Listen.at(self.written.inside_urls[part])

    def beside_it(self) -> list[ContainerPlan]:
        """How all that a service rests on is run, in the order in which it is started."""
        service = self.application.service()
        return [self._of_service(each) for each in service.beside] if service else []

    def _of_service(self, it: ServiceContainer) -> ContainerPlan:
        """As its compose file has it; nothing of it is published."""
        return ContainerPlan(
            name=it.name, role="beside", image=it.image, entrypoint=it.entrypoint, command=it.command, address="",
            publish={}, memory_mb=it.memory_mb or SERVICE_MEMORY_MB, environment=it.environment, user=it.user,
            binds=it.binds, in_memory=it.tmpfs, folder=it.folder, health=it.health, processes=SERVICE_PROCESSES,
        )  # fmt: skip

    def _setup(self, node: str) -> NodeSetup:
        written = self.written
        outside = f"@{HOST}:{port_of(written.database_url)}"
        return written.node_setup(
            node,
            listen=Listen(ANYWHERE, node_port(written.spec)),
            database_url=written.database_url.replace(outside, f"@{DATABASE}:{DATABASE_PORT}"),
            request_log=str(REQUEST_LOG),
            store_url=f"redis://{self.store_for(node)}/0" if written.store_url else "",
            sentinel=f"{self._at(SENTINEL).host}:{SENTINEL_PORT}" if written.sentinel_url else "",
        )

    def _node(self, node: str) -> ContainerPlan:
        written, limits, setup = self.written, self.written.spec.limits, self._setup(node)
        published = {setup.listen.port: port_of(written.node_urls[node])}
        if service := self.application.service():
            plan, told = self._of_service(service.node), self.application.environment(written.spec, setup)
            return msgspec.structs.replace(
                plan, name=node, role="node", address=self._at(node).host, publish=published, health=(),
                environment=plan.environment | told,
            )  # fmt: skip
        make = self.node_command
        program, *words = make(written) if make else self.application.entrypoint(written.spec, setup.listen)
        return ContainerPlan(
            name=node,
            role="node",
            image=self.node_image,
            entrypoint=(program,),
            command=tuple(words),
            address=self._at(node).host,
            publish=published,
            memory_mb=NODE_MEMORY_MB + WORKER_MEMORY_MB * (limits.node_workers - 1),
            processes=(limits.node_threads + WAITING_THREADS) * limits.node_workers,  # Docker counts threads, too
            environment=self.application.environment(written.spec, setup),
            mounts={self.logs[f"{node}.requests"]: (REQUEST_LOG, True)},
            in_memory=(LOST_FOLDER,),
            user=self.user,
        )

    def site(self) -> Site:
        """Where the balancer is, as it sees it."""
        listen, admin = Listen(ANYWHERE, BALANCER_PORT), Listen(ANYWHERE, ADMIN_PORT)
        public = Listen(ANYWHERE, PUBLIC_PORT) if self.written.spec.public else None
        return Site(self.written.spec, self.application.http, listen, admin, CONFIG_FOLDER, ACCESS_LOG, public)

    def _balancer(self) -> ContainerPlan:
        written, public = self.written, self.written.spec.public
        return ContainerPlan(
            name=BALANCER,
            image=self.balancer.image,
            command=tuple(self.balancer.words(self.site())),
            address=self._at(BALANCER).host,
            publish={BALANCER_PORT: port_of(written.url), ADMIN_PORT: port_of(written.admin_url)},
            memory_mb=BALANCER_MEMORY_MB,
            public=Listen(public.host, public.port) if public else None,
            mounts={self.configuration / BALANCER: (CONFIG_FOLDER, False), self.access_log: (ACCESS_LOG, True)},
            user=self.user,
        )

    def server(self, part: str) -> str:
        """host:port of the store or the replica, as a sentinel knows them."""
        return f"{self._at(part).host}:{STORE_PORT}"

    def store_for(self, end: str) -> str:
        """host:port at which that end reaches the session store."""
        if end in self.written.wire_urls:
            return f"{self._at(WIRES).host}:{wire_port(end)}"
        return self.server(STORE)

    def _server(self, name: str, url: str, follows: str) -> ContainerPlan:
        """Redis, told all that would otherwise be for its image to say."""
        limits, address = self.written.spec.limits, self._at(name).host
        settings = {
            "bind": ANYWHERE,
            "port": str(STORE_PORT),
            "protected-mode": "no",
            # Without an append-only file a killed store comes back empty, so nothing may be left.
            "dir": KEPT_FOLDER if limits.store_append_only else LOST_FOLDER,
            "replica-announce-ip": address,
            **store_settings(limits),
        }
        words = [word for key, value in settings.items() for word in (f"--{key}", value)]
        copied = ["--replicaof", *follows.rsplit(":", 1)] if follows else []
        return ContainerPlan(
            name=name,
            image=images.STORE,
            entrypoint=("redis-server",),
            command=(*words, *copied),
            address=address,
            publish={STORE_PORT: port_of(url)},
            # Beside what it holds, a store needs room for what it tells its replica.
            memory_mb=max(STORE_MEMORY_MB, 2 * limits.store_memory_mb + 64),
            in_memory=(LOST_FOLDER, STORE_VOLUME),
            user=self.user,
        )

    def _sentinel(self) -> ContainerPlan:
        """It rewrites its configuration with all that it learns, and must find it again when it comes back."""
        file, address = f"{KEPT_FOLDER}/sentinel.conf", self._at(SENTINEL).host
        store, replica = ((self._at(part).host, STORE_PORT) for part in (STORE, REPLICA))
        lines = [
            f"port {SENTINEL_PORT}",
            f"bind {ANYWHERE}",
            "protected-mode no",
            f"dir {LOST_FOLDER}",
            *sentinel_settings(store, replica, wired=bool(self.written.wire_urls)),
        ]
        # Only the first time: after a restart the file holds what it has learnt since, above all who is the store.
        begin = f'test -e {file} || printf "%s\\n" "$SENTINEL_CONF" > {file}'
        return ContainerPlan(
            name=SENTINEL,
            image=images.STORE,
            entrypoint=("sh", "-c"),
            command=(f"{begin}; exec redis-server {file} --sentinel",),
            environment={"SENTINEL_CONF": "\n".join(lines)},
            address=address,
            publish={SENTINEL_PORT: port_of(self.written.sentinel_url)},
            memory_mb=STORE_MEMORY_MB,
            in_memory=(LOST_FOLDER, STORE_VOLUME),
            user=self.user,
        )

    def _wires(self) -> ContainerPlan:
        """One for all ends; a container's ports cannot be changed later, so some are spare for nodes to come."""
        written = self.written
        ends = {wire_port(end): port_of(url) for end, url in written.wire_urls.items()}
        return ContainerPlan(
            name=WIRES,
            role="wire",
            image=self.node_image,
            entrypoint=("python", "-P"),
            command=("-m", "compose.delay_proxy", str(CONFIG_FOLDER / WIRES_FILE)),
            address=self._at(WIRES).host,
            publish={WIRES_PORT: port_of(written.wires_url), **ends, **self.spare},
            memory_mb=WIRES_MEMORY_MB,
            mounts={self.configuration / WIRES: (CONFIG_FOLDER, False)},
            in_memory=(LOST_FOLDER,),
            user=self.user,
            init=True,
        )

    def wire_file(self, link: Callable[[str, str, str], Link]) -> bytes:
        """What the wires are told; `link` makes each, from its end and both its addresses."""
        lines = {end: link(end, f"{ANYWHERE}:{wire_port(end)}", self.server(STORE)) for end in self.written.wire_urls}
        return msgspec.json.encode(WireFile(f"{ANYWHERE}:{WIRES_PORT}", lines))

    def _database(self) -> ContainerPlan:
        """PostgreSQL, in memory: it lives as long as the cluster, and the disk's speed is not what is measured."""
        written = self.written
        return ContainerPlan(
            name=DATABASE,
            image=images.DATABASE,
            # Of its own accord it takes 100 connections; several nodes, each with a pool, may want more.
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
