"""The engine `docker`: the same cluster as containers, with Redis and PostgreSQL, on a network of its own.

What we talk to is published on 127.0.0.1.
"""

from __future__ import annotations

import secrets
import sys
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docker
import msgspec

from compose.applications import application_of
from compose.balancers import check_balancer, check_public
from compose.balancers.contract import Routing, Site
from compose.cluster import BALANCER, ClusterSpec, NodeAddress, check_distance, wire_ends
from compose.containers import asking, connect, engine_address, ensuring, give
from compose.engines import images
from compose.engines.cluster_file import (
    ClusterFile,
    first_ports,
    new_cluster,
    read_cluster_file,
    server_url,
    wire_of,
    with_nodes,
    work_folder,
)
from compose.engines.contract import Blow, Cluster, Engine
from compose.engines.docker_containers import Containers
from compose.engines.docker_parts import (
    ACCESS_LOG,
    ADMIN_PORT,
    ANYWHERE,
    BALANCER_PORT,
    CONFIG_FOLDER,
    DATABASE,
    DATABASE_NAME,
    DATABASE_USER,
    PUBLIC_PORT,
    SPARE_WIRES,
    Blueprint,
    placed,
    with_spare_wire,
)
from compose.engines.page_cache import check_no_cache
from compose.engines.readiness import bring_up
from compose.engines.routed_cluster import RoutedCluster
from compose.supervision.ledger import Ledger
from compose.supervision.ports import HOST, Listen, free_ports, port_of, preflight
from compose.supervision.waiting import not_ready
from shared.errors import EnvironmentNotReady, PortTaken, UsageError

_CONNECT = "connect_timeout=2"  # in seconds; of its own accord it would wait for minutes


class DockerEngine(Engine):
    """Starts clusters of containers."""

    name = "docker"

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
        return bring_up(cluster, until)

    def attach(self, folder: Path, ledger: Ledger) -> Cluster:
        """The running cluster that was started in that folder by an earlier process."""
        written = read_cluster_file(folder)
        return DockerCluster(folder, written, ledger, connect(written.container_engine))

    def _lay_out(
        self, spec: ClusterSpec, folder: Path, ledger: Ledger, client: docker.APIClient, address: str
    ) -> DockerCluster:
        """Choose ports and secrets; the addresses inside come with the network."""
        check_distance(spec)
        check_balancer(spec.architecture, spec.balancer, engine=self.name)
        spare = with_spare_wire(spec)
        at = first_ports(spec, DATABASE, *map(wire_of, spare))
        # Only the one that may have been asked for: the others are free, and Docker says so if one is taken meanwhile.
        preflight(at[BALANCER], BALANCER)
        check_public(spec)
        account = f"{DATABASE_USER}:{secrets.token_urlsafe(24)}"
        database = f"postgresql+psycopg://{account}@{HOST}:{at[DATABASE]}/{DATABASE_NAME}?{_CONNECT}"
        wires = {node: server_url(at[wire_of(node)]) for node in spare}
        written = new_cluster(self.name, spec, database, at)
        written = msgspec.structs.replace(written, container_engine=address, spare_wires=wires)
        ledger.make_folder(work_folder(folder))
        return DockerCluster(folder, written, ledger, client)


class DockerCluster(RoutedCluster):
    """Containers on a network of their own."""

    host = ANYWHERE

    def __init__(self, folder: Path, written: ClusterFile, ledger: Ledger, client: docker.APIClient) -> None:
        super().__init__(folder, written, ledger)
        self.database_part = DATABASE if self.application.can.shows_orders else ""
        self.client = client
        self._hit: dict[str, str] = {}
        """By part that was killed or terminated: when the container that was hit had been started."""
        address = written.container_engine or ""
        self.containers = Containers(client, ledger, address, cluster=self.spec.architecture.name, work=self.work)
        # What balancer and wires see; inside `work/`, which nobody else may enter.
        self.told_folder = self.work / "read"
        self.blueprint = Blueprint(self, self.containers)
        for one in (client, self.containers.eye):
            weakref.finalize(self, one.close)  # whoever kept the cluster does not keep our connections

    def nodes(self) -> tuple[NodeAddress, ...]:
        """All nodes, dead ones too, in the order of their names. Their processes are the engine's, not ours."""
        return tuple(NodeAddress(name, url, None) for name, url in self.written.node_urls.items())

    def process_state(self, part: str) -> tuple[bool, str, str | None]:
        """By its container, and by when that was started last."""
        if self._stopped:
            return False, f"container {self.containers.name(part)}: removed", None
        state = self.containers.state(part)
        return state.runs, state.words, state.started or None

    def used(self, part: str) -> tuple[float, int] | None:
        """What the part's container uses of the machine."""
        return self.containers.used(part)

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

    def _beside(self) -> tuple[str, ...]:
        """What all nodes rest on, and what cannot be struck, in the order in which it is started."""
        service = self.application.service()
        return tuple(it.name for it in service.beside) if service else (DATABASE,)

    def start_all(self, parts: list[str], until: float) -> None:
        """Make the network, write the files that containers will find mounted, start all at once."""
        # First of all: its range, which the engine chooses, decides every address that is written into those files.
        self.containers.make_network()
        self.written = placed(self.written, (DATABASE, *self.parts()), self.containers.address)
        self._prepare_files()

        def start(part: str) -> None:
            if time.monotonic() > until:
                raise not_ready(part, "the time was over before it was started", self.folder / f"{part}.log")
            self.run_part(part)

        if self.database_part:
            parts = [DATABASE, *parts]
        elif late := self.containers.run_in_order(self.blueprint.beside(), until):
            raise not_ready(late, "its health check does not say that it is well", self.logs()[late])
        with ThreadPoolExecutor(len(parts)) as pool:
            list(pool.map(start, parts))

    def _prepare_files(self) -> None:
        self.told_folder.mkdir(mode=0o755)
        self.write_balancer_files(Routing())
        self.tell_wires()
        self.log_files()[BALANCER].touch()
        # What is mounted must be there: Docker would make a folder in its place, of root's.
        for log in self._mounted_logs():
            self._lay_log(log)

    def _lay_log(self, log: Path) -> None:
        log.touch()
        give(log, self.blueprint.user)

    def write_file(self, path: Path, content: bytes) -> None:
        """Replace it by rename; it holds no secret, and whoever runs in the container must read it."""
        draft = path.with_name(f".{path.name}.new")
        draft.write_bytes(content)
        # Whatever our umask; and before the rename: whoever follows the file may open it in the same moment.
        draft.chmod(0o644)
        draft.replace(path)

    def balancer_site(self) -> Site:
        """Where the balancer is, as it sees it."""
        listen, admin = Listen(ANYWHERE, BALANCER_PORT), Listen(ANYWHERE, ADMIN_PORT)
        public = Listen(ANYWHERE, PUBLIC_PORT) if self.spec.public else None
        return Site(self.spec, self.application.http, listen, admin, CONFIG_FOLDER, ACCESS_LOG, public)

    def run_part(self, part: str) -> None:
        """Make and start that part's container, for the first time.

        Raises:
            PortTaken, EnvironmentNotReady: as their names say.
        """
        self.containers.run(self.blueprint.part(part))

    def start_again(self, part: str) -> None:
        """In the same container, or one made anew if its settings have changed; while `changing`."""
        state = self.containers.state(part)
        if state.runs:
            # Another start than the one that was hit: it runs, and there is nothing to do.
            if self._hit.get(part) != state.started:
                return
            # Struck a moment ago it is still dying, or ending what it was doing.
            self.containers.end(part, self.spec.limits.stop_s)
        plan = self.blueprint.part(part)
        for at in plan.publish.values():
            if at.host == HOST:
                preflight(at.port, part)
        self.containers.run_again(plan, self.log_files()[part])
        self._hit.pop(part, None)

    def run_new_node(self, node: str) -> None:
        """On another port if somebody took the one that was chosen; if it fails, nothing of it is left."""
        before = self.written
        for last in (False, False, True):
            try:
                self._lay_out_new_node(node)
                self.run_part(node)
                return
            except BaseException as error:
                # The container was made before its port was found to be taken.
                self.containers.remove(node)
                self.written = before
                if last or not isinstance(error, PortTaken):
                    raise

    def _lay_out_new_node(self, node: str) -> None:
        at = {node: free_ports(1)[0]}
        if node in wire_ends(self.spec, [node]):
            at[wire_of(node)] = port_of(self._spare_wire(node))
        self.written = placed(with_nodes(self.written, [node], at), [node], self.containers.address)
        self.tell_wires()
        self._lay_log(self.log_files()[f"{node}.requests"])

    def _spare_wire(self, node: str) -> str:
        try:
            return self.written.spare_wires[node]
        except KeyError:
            raise UsageError(
                f"there is no wire for {node}",
                why=f"{SPARE_WIRES} are spare: a container's ports are chosen when it is made",
                next_step="start a cluster with more nodes",
            ) from None

    def hit(self, blow: Blow, part: str) -> None:
        """SIGKILL goes to everything in the container, SIGTERM to its first process: others go when that one ends."""
        match blow:
            case "freeze":
                with ensuring(f"freeze {part}"):
                    self.client.pause(self.containers.name(part))
            case "thaw":
                with ensuring(f"thaw {part}"):
                    self.client.unpause(self.containers.name(part))
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
                self.hit("thaw", BALANCER)
                self.containers.stop(BALANCER, self.spec.limits.stop_s)
                self._fetch_logs()
            self._stopped = True
            self.containers.sweep()
            for log in self._mounted_logs():
                if log.exists():
                    # Back to whom they belong: nobody in a container writes any more.
                    give(log, "0:0")
            self._close()
