"""The engine `docker`: the same cluster as containers, with Redis and PostgreSQL, on a network of its own.

What we talk to is published on 127.0.0.1.
"""

from __future__ import annotations

import secrets
import sys
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import docker
import msgspec

from compose.applications import application_of
from compose.balancers import check_balancer, check_public
from compose.balancers.contract import Routing, Site
from compose.cluster import BALANCER, REPLICA, STORE, WIRES, ClusterSpec, NodeAddress, check_distance
from compose.containers import asking, connect, container_user, engine_address, give
from compose.engines import images
from compose.engines.cluster_file import (
    ClusterFile,
    addresses_of,
    new_cluster,
    read_cluster_file,
    work_folder,
)
from compose.engines.contract import Cluster, Engine
from compose.engines.docker_containers import Containers
from compose.engines.docker_network import DATABASE, inside, new_wire, peers, spare_wires
from compose.engines.docker_parts import (
    DATABASE_NAME,
    DATABASE_USER,
    WIRES_FILE,
    Blueprint,
    ContainerPlan,
    NodeCommand,
)
from compose.engines.page_cache import check_no_cache
from compose.engines.persisted_cluster import Blow
from compose.engines.readiness import bring_up
from compose.engines.routed_cluster import RoutedCluster
from compose.engines.store import master_address
from compose.supervision.ledger import Ledger
from compose.supervision.ports import HOST, Listen, free_ports, port_of, preflight
from compose.supervision.waiting import not_ready
from shared.errors import EnvironmentNotReady, PortTaken

_CONNECT = "connect_timeout=2"  # in seconds; of its own accord it would wait for minutes


class DockerEngine(Engine):
    """Starts clusters of containers."""

    name = "docker"

    def __init__(self, node_command: NodeCommand | None = None) -> None:
        self._node_command = node_command

    def start_once(self, spec: ClusterSpec, folder: Path, ledger: Ledger) -> Cluster:
        """Start a cluster and return it once it was observed to be ready."""
        check_no_cache(spec, self.name)
        address = engine_address()
        client = connect(address)
        try:
            service = application_of(spec).service()
            if service:
                service.build()
            images.ensure(client, images.needed(spec, service), lambda line: print(line, file=sys.stderr))  # noqa: T201
            until = time.monotonic() + spec.limits.cluster_ready_s
            cluster = self._lay_out(spec, folder, ledger, client, address)
        except BaseException:
            client.close()
            raise
        try:
            bring_up(cluster, until)
        except BaseException:
            cluster.stop()
            raise
        return cluster

    def attach(self, folder: Path, ledger: Ledger) -> Cluster:
        """The running cluster that was started in that folder by an earlier process."""
        written = read_cluster_file(folder)
        return DockerCluster(folder, written, ledger, connect(written.container_engine), self._node_command)

    def _lay_out(
        self, spec: ClusterSpec, folder: Path, ledger: Ledger, client: docker.APIClient, address: str
    ) -> DockerCluster:
        """Choose ports and secrets; the addresses inside come with the network."""
        check_distance(spec)
        check_balancer(spec.architecture, spec.balancer, engine=self.name)
        spare = spare_wires(spec)
        names = (*addresses_of(spec), DATABASE, *(f"spare wire at {port}" for port in spare))
        at = dict(zip(names, free_ports(len(names)), strict=True))
        if spec.port is not None:
            at[BALANCER] = spec.port
        # Only the one that may have been asked for: the others are free, and Docker says so if one is taken meanwhile.
        preflight(at[BALANCER], BALANCER)
        check_public(spec)
        account = f"{DATABASE_USER}:{secrets.token_urlsafe(24)}"
        database = f"postgresql+psycopg://{account}@{HOST}:{at[DATABASE]}/{DATABASE_NAME}?{_CONNECT}"
        written = new_cluster(self.name, spec, database, at)
        written = msgspec.structs.replace(written, container_engine=address, peers={})
        ledger.make_folder(work_folder(folder).absolute())
        cluster = DockerCluster(folder.absolute(), written, ledger, client, self._node_command)
        cluster.spare = {port: at[f"spare wire at {port}"] for port in spare}
        return cluster


class DockerCluster(RoutedCluster):
    """Containers on a network of their own."""

    engine = "docker"

    def __init__(
        self,
        folder: Path,
        written: ClusterFile,
        ledger: Ledger,
        client: docker.APIClient,
        node_command: NodeCommand | None,
    ) -> None:
        super().__init__(folder, written, ledger)
        self.database_part = "" if self.spec.application else DATABASE
        self.client = client
        self._node_command = node_command
        self.spare: dict[int, int] = {}
        """Ports of the wires, theirs and ours, for nodes to come; known while the cluster is started."""
        self._hit: dict[str, str] = {}
        """By part that was killed or terminated: when the container that was hit had been started."""
        address = written.container_engine or ""
        self.containers = Containers(client, ledger, address, cluster=self.spec.architecture.name, work=self.work)
        # What balancer and wires each see a folder of as their own; inside `work/`, which nobody else may enter.
        self._read = self.work / "read"
        self.balancer_folder = self._read / BALANCER
        for one in (client, self.containers.eye):
            weakref.finalize(self, one.close)  # whoever kept the cluster does not keep our connections

    def nodes(self) -> tuple[NodeAddress, ...]:
        """All nodes, dead ones too, in the order of their names. Their processes are the engine's, not ours."""
        return tuple(NodeAddress(name, url, None) for name, url in self.written.node_urls.items())

    def process_state(self, part: str) -> tuple[bool, str]:
        """Whether the part's container runs (a paused one does), and the same in words."""
        if self._stopped:
            return False, f"container {self.containers.name(part)}: removed"
        state = self.containers.state(part)
        return state.runs, state.words

    def start_of(self, part: str) -> str | None:
        """When its container was started last."""
        return self.containers.state(part).started or None

    def used(self, parts: list[str]) -> dict[str, tuple[float, int] | None]:
        """What each part's container uses of the machine."""
        with ThreadPoolExecutor(len(parts)) as pool:
            return dict(zip(parts, pool.map(self.containers.used, parts), strict=True))

    def versions(self) -> dict[str, str]:
        """The Docker engine, and each image with the id of what it really was."""
        with asking("describe itself"):
            names = images.needed(self.spec, self.application.service())
            ids = {f"image {name}": str(self.client.inspect_image(name)["Id"])[:19] for name in names}
            return {"docker engine": str(self.client.version()["Version"]), **ids}

    def check_engine(self) -> None:
        """Make sure that the Docker engine is still there.

        Raises:
            EnvironmentNotReady: it is not; nothing that is measured from here on would mean anything.
        """
        try:
            with asking("answer"):
                self.client.ping()
        except EnvironmentNotReady as error:
            raise EnvironmentNotReady(
                "the Docker engine died in the middle of the run", why=error.why, next_step=error.next_step
            ) from error

    def logs(self) -> dict[str, Path]:
        """The logs by part. What a container printed is fetched from the engine now; the others grow by themselves."""
        with self._lock:
            if not self._stopped:
                self._fetch_logs()
        return super().logs()

    def log_files(self) -> dict[str, Path]:
        """As `logs`, without fetching anything."""
        return {**{part: self.folder / f"{part}.log" for part in self._beside()}, **super().log_files()}

    def _fetch_logs(self) -> None:
        files = self.log_files()
        self.containers.fetch_logs({part: files[part] for part in (*self.parts(), *self._beside())})

    def _mounted_logs(self) -> list[Path]:
        """Those that containers write themselves, so that a line is here before the container that wrote it can die."""
        return [log for name, log in self.log_files().items() if name.endswith(".requests")] + [self.own_access_log]

    @cached_property
    def _user(self) -> str:
        """Who runs in the containers that may run as anybody."""
        return container_user(self.client)

    @cached_property
    def _node_image(self) -> str:
        # Of a cluster that runs already it is the one it was started with, whatever has changed in the rooms since.
        started = None if self.spec.application else self.containers.image("n1")
        return started or images.node_image()

    def _beside(self) -> tuple[str, ...]:
        """What all nodes rest on, and what cannot be struck, in the order in which it is started."""
        service = self.application.service()
        return tuple(it.name for it in service.beside) if service else (DATABASE,)

    def _blueprint(self) -> Blueprint:
        """How each part is run, as things are now."""
        return Blueprint(
            written=self.written,
            application=self.application,
            balancer=self.balancer,
            node_image=self._node_image,
            node_command=self._node_command,
            user=self._user,
            configuration=self._read,
            logs=self.log_files(),
            access_log=self.own_access_log,
            spare=self.spare,
        )

    def start_all(self, parts: list[str], until: float) -> None:
        """Make the network, write the files that containers will find mounted, start all at once."""
        # First of all: its range, which the engine chooses, decides every address that is written into those files.
        network = self.containers.make_network()
        inside_urls = {part: inside(network, part, self.spec) for part in (DATABASE, *self.parts())}
        told = peers(self.spec, inside_urls, self.written.node_urls)
        self.written = msgspec.structs.replace(self.written, inside_urls=inside_urls, peers=told)
        self._prepare_files()

        def start(part: str) -> None:
            if time.monotonic() > until:
                raise not_ready(part, "the time was over before it was started", self.folder / f"{part}.log")
            self.run_part(part)

        if self.spec.application is None:
            parts = [DATABASE, *parts]
        elif late := self.containers.run_in_order(self._blueprint().beside_it(), until):
            raise not_ready(late, "its health check does not say that it is well", self.logs()[late])
        with ThreadPoolExecutor(len(parts)) as pool:
            list(pool.map(start, parts))

    def _prepare_files(self) -> None:
        for folder in (self._read, self.balancer_folder, self._read / WIRES):
            folder.mkdir(mode=0o755)
        self.write_balancer_files(Routing())
        if self.written.wire_urls:
            self.tell_wires()
        self.log_files()[BALANCER].touch()
        # What is mounted must be there: Docker would make a folder in its place, of root's.
        for log in self._mounted_logs():
            self._lay_log(log)

    def _lay_log(self, log: Path) -> None:
        log.touch()
        give(log, self._user)

    def write_file(self, path: Path, content: bytes) -> None:
        """Replace it by rename; it holds no secret, and whoever runs in the container must read it."""
        draft = path.with_name(f".{path.name}.new")
        draft.write_bytes(content)
        # Whatever our umask; and before the rename: whoever follows the file may open it in the same moment.
        draft.chmod(0o644)
        draft.replace(path)

    def balancer_site(self) -> Site:
        """Where the balancer is, as it sees it."""
        return self._blueprint().site()

    def tell_wires(self) -> None:
        """Replace the file that the wires follow."""
        self.write_file(self._read / WIRES / WIRES_FILE, self._blueprint().wire_file(self.link))

    def run_part(self, part: str) -> None:
        """Make and start that part's container, for the first time.

        Raises:
            PortTaken, EnvironmentNotReady: as their names say.
        """
        self.containers.run(self._plan(part))

    def _plan(self, part: str) -> ContainerPlan:
        blueprint = self._blueprint()
        if part in (STORE, REPLICA):
            return blueprint.part(part, follows=self._follows(part, blueprint))
        return blueprint.part(part)

    def _follows(self, part: str, blueprint: Blueprint) -> str:
        """host:port of the server whose copy that part is to be; "": it is nobody's."""
        # As a system's start-up would: else a store that was replaced would come back as a second one.
        asked = self.written.sentinel_url
        leads = (master_address(port_of(asked)) if asked else None) or blueprint.server(STORE)
        if leads == blueprint.server(part):
            return ""
        return blueprint.store_for(part) if leads == blueprint.server(STORE) else leads

    def start_again(self, part: str) -> None:
        """In the same container, or one made anew if its settings have changed; while `changing`."""
        state = self.containers.state(part)
        if state.runs:
            # Another start than the one that was hit: it runs, and there is nothing to do.
            if self._hit.get(part) != state.started:
                return
            # Struck a moment ago it is still dying, or ending what it was doing.
            self.containers.end(part, self.spec.limits.stop_s)
        plan = self._plan(part)
        for port in plan.publish.values():
            preflight(port, part)
        self.containers.run_again(plan, self.log_files()[part])
        self._hit.pop(part, None)

    def run_new_node(self, node: str) -> None:
        """On another port if somebody took the one that was chosen; if it fails, nothing of it is left."""
        before, inside_url = self.written, inside(self.containers.find_network(), node, self.spec)
        for last in (False, False, True):
            try:
                self._lay_out_new_node(node, inside_url)
                self.run_part(node)
                return
            except BaseException as error:
                # The container was made before its port was found to be taken.
                self.containers.remove(node)
                self.written = before
                if last or not isinstance(error, PortTaken):
                    raise

    def _lay_out_new_node(self, node: str, inside_url: str) -> None:
        (port,) = free_ports(1)
        written = self.written
        self.written = msgspec.structs.replace(
            written,
            node_urls={**written.node_urls, node: Listen(HOST, port).url},
            inside_urls={**written.inside_urls, node: inside_url},
            wire_urls=written.wire_urls | new_wire(self.spec, node, self.containers.published),
            peers=written.peers | peers(self.spec, {node: inside_url}, [node]),
        )
        if self.written.wire_urls != written.wire_urls:
            self.tell_wires()
        self._lay_log(self.log_files()[f"{node}.requests"])

    def strike(self, blow: Blow, part: str) -> None:
        """SIGKILL goes to everything in the container, SIGTERM to its first process: others go when that one ends."""
        match blow:
            case "freeze":
                self.containers.do(f"freeze {part}", self.client.pause, part)
            case "thaw":
                self.containers.do(f"thaw {part}", self.client.unpause, part)
            case _:
                self._hit[part] = self.containers.state(part).started
                self.containers.signal(part, "SIGKILL" if blow == "kill" else "SIGTERM")

    def signal_balancer(self, name: str) -> None:
        """Send its container's first process that signal."""
        self.containers.signal(BALANCER, name)

    def stop(self) -> None:
        """Stop everything, keep the logs, and remove `work/`."""
        with self._lock:
            if not self._stopped:
                # First the balancer, by SIGTERM: it writes what is left of its access log; frozen it could not.
                self.strike("thaw", BALANCER)
                self.containers.stop(BALANCER, self.spec.limits.stop_s)
                self._fetch_logs()
            self._stopped = True
            self.containers.sweep()
            for log in self._mounted_logs():
                if log.exists():
                    # Back to whom they belong: nobody in a container writes any more.
                    give(log, "0:0")
            self._close()
