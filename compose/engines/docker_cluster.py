"""A running cluster of containers: what can be asked of it and done to it."""

from __future__ import annotations

import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import docker
import msgspec

from compose.balancers.envoy_config import Listen
from compose.cluster import NodeAddress, Usage
from compose.containers.api import asking, container_user, give
from compose.containers.images import needed, node_image
from compose.engines.cluster_file import ClusterFile
from compose.engines.docker_containers import Containers
from compose.engines.docker_network import find_network
from compose.engines.docker_part import Part
from compose.engines.docker_parts import (
    DATABASE,
    SPARE_WIRES,
    WIRES_FILE,
    Blueprint,
    NodeCommand,
    inside,
    peers,
    store_at,
    wire_port,
)
from compose.engines.part_names import BALANCER, REPLICA, STORE, WIRES, wire_ends
from compose.engines.store import master_address
from compose.engines.written_cluster import WrittenCluster
from compose.probes.usage import usage_of
from compose.supervision.ledger import Ledger
from compose.supervision.ports import HOST, free_ports, port_of, preflight
from shared.errors import EnvironmentNotReady, PortTaken, UsageError


class DockerCluster(WrittenCluster):
    """Containers on a network of their own; what we talk to is published on 127.0.0.1."""

    engine = "docker"

    def __init__(
        self, folder: Path, written: ClusterFile, ledger: Ledger, client: docker.APIClient, node_command: NodeCommand
    ) -> None:
        super().__init__(folder, written, ledger)
        self.client = client
        self._node_command = node_command
        self.spare: dict[int, int] = {}
        """Ports of the wires, theirs and ours, for nodes to come; known while the cluster is started."""
        self._hit: dict[str, str] = {}
        """By part that was killed or terminated: when the container that was hit had been started."""
        address = written.container_engine or ""
        self.containers = Containers(client, ledger, address, cluster=self.spec.architecture.name, work=self.work)
        for one in (client, self.containers.eye):
            weakref.finalize(self, one.close)  # whoever kept the cluster does not keep our connections

    # asking

    def nodes(self) -> tuple[NodeAddress, ...]:
        """All nodes, dead ones too, in the order of their names. Their processes are the engine's, not ours."""
        return tuple(NodeAddress(name, url, None) for name, url in self.written.node_urls.items())

    def in_the_books(self, part: str) -> tuple[bool, str]:
        """Whether the part's container runs (a paused one does), and the same in words."""
        if self._stopped:
            return False, f"container {self.containers.name(part)}: removed"
        state = self.containers.state(part)
        return state.runs, state.words

    def versions(self) -> dict[str, str]:
        """The Docker engine, and each image with the id of what it really was."""
        names = needed(self.spec.architecture)
        with asking("describe itself"):
            ids = {f"image {name}": str(self.client.inspect_image(name)["Id"])[:19] for name in names}
            return {"docker engine": str(self.client.version()["Version"]), **ids}

    def usage(self) -> dict[str, Usage]:
        """What each node and each store uses of the machine."""
        written = self.written
        stores = {part: url for part, url in ((STORE, written.store_url), (REPLICA, written.replica_url)) if url}
        parts = [*written.node_urls, *stores]
        with ThreadPoolExecutor(len(parts)) as pool:
            found = dict(zip(parts, pool.map(self.containers.used, parts), strict=True))
        return usage_of(written.node_urls, stores, found.__getitem__)

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

    # logs

    def logs(self) -> dict[str, Path]:
        """The logs by part. What a container printed is fetched from the engine now; the others grow by themselves."""
        with self._lock:
            if not self._stopped:
                self._fetch_logs()
        return self.log_files()

    def log_files(self) -> dict[str, Path]:
        """As `logs`, without fetching anything."""
        found = {part: self.folder / f"{part}.log" for part in (*self.parts(), DATABASE)}
        found |= {f"{node}.requests": self.folder / f"{node}.requests.ndjson" for node in self.written.node_urls}
        return found | {"access": self.folder / "access.ndjson"}

    def _fetch_logs(self) -> None:
        self.containers.fetch_logs({part: self.log_files()[part] for part in (*self.parts(), DATABASE)})

    def mounted_logs(self) -> list[Path]:
        """Those that containers write themselves, so that a line is here before the container that wrote it can die."""
        return [log for log in self.log_files().values() if log.suffix == ".ndjson"]

    # making

    @cached_property
    def user(self) -> str:
        """Who runs in the containers that may run as anybody."""
        return container_user(self.client)

    @cached_property
    def _node_image(self) -> str:
        # Of a cluster that runs already it is the one it was started with, whatever has changed in the rooms since.
        return self.containers.image("n1") or node_image()

    def blueprint(self) -> Blueprint:
        """How each part is run, as things are now."""
        return Blueprint(
            written=self.written,
            node_image=self._node_image,
            node_command=self._node_command,
            user=self.user,
            configuration=self.configuration_folder,
            logs=self.log_files(),
            spare=self.spare,
        )

    def prepare_files(self, configuration: bytes) -> None:
        """Write what the containers will find mounted: what balancer and wires read, and empty logs they may write."""
        for folder in (self.configuration_folder, *(self.configuration_folder / part for part in (BALANCER, WIRES))):
            folder.mkdir(mode=0o755)
        self.tell_balancer("balancer.json", configuration)
        if self.written.wire_urls:
            self.tell_wires()
        self.tell_routes()
        self.route_to([])
        self.log_files()[BALANCER].touch()
        for log in self.mounted_logs():
            self._lay_log(log)

    def _lay_log(self, log: Path) -> None:
        log.touch()
        give(log, self.user)

    @property
    def configuration_folder(self) -> Path:
        """What balancer and wires each see a folder of as their own; inside `work/`, which nobody else may enter."""
        return self.work / "read"

    def _write(self, path: Path, content: bytes) -> None:
        # It holds no secret, and whoever runs in the container must read it. By rename: they watch for that.
        draft = path.with_name(f".{path.name}.new")
        draft.write_bytes(content)
        draft.chmod(0o644)
        draft.replace(path)

    def tell_balancer(self, file: str, content: bytes) -> None:
        """Replace one of the files that the balancer watches."""
        self._write(self.configuration_folder / BALANCER / file, content)

    def tell_wires(self) -> None:
        """Replace the file that the wires follow."""
        self._write(self.configuration_folder / WIRES / WIRES_FILE, self.blueprint().wire_file(self.line))

    def run_part(self, part: str) -> None:
        """Make and start that part's container, for the first time.

        Raises:
            PortTaken, EnvironmentNotReady: as their names say.
        """
        self.containers.run(self._plan(part))

    def _plan(self, part: str) -> Part:
        blueprint = self.blueprint()
        if part in (STORE, REPLICA):
            return blueprint.part(part, follows=self._follows(part, blueprint))
        return blueprint.part(part, keys=self.keys(part))

    def _follows(self, part: str, blueprint: Blueprint) -> str:
        """host:port of the server whose copy that part is to be; "": it is nobody's.

        As a system's start-up would, it asks the sentinel, so that a store that was replaced does not come back as a
        second one.
        """
        asked = self.written.sentinel_url
        leads = (master_address(port_of(asked)) if asked else None) or blueprint.server(STORE)
        if leads == blueprint.server(part):
            return ""
        return blueprint.store_for(part) if leads == blueprint.server(STORE) else leads

    def add_node(self) -> str:
        """Start one node more and return its name at once; it is sent shoppers as soon as it is healthy.

        Raises:
            UsageError: the cluster was stopped.
            PortTaken: the port chosen for it, several times over.
        """
        with self.changing() as there:
            if not there:
                raise UsageError("a cluster that was stopped gets no node", next_step="twinshop up")
            node = f"n{len(self.written.node_urls) + 1}"
            self._ledger.broken(f"add {node}")
            before = self.written
            try:
                self._run_new_node(node, inside(find_network(self.client, self.containers.network), node))
            except BaseException:
                self.containers.remove(node)
                self.written = before
                raise
            self.write()
            self.route()
            return node

    def _run_new_node(self, node: str, inside_url: str) -> None:
        for last in (False, False, True):
            (port,) = free_ports(1)
            written = self.written
            self.written = msgspec.structs.replace(
                written,
                node_urls={**written.node_urls, node: Listen(HOST, port).url},
                inside_urls={**written.inside_urls, node: inside_url},
                wire_urls=written.wire_urls | self._new_wire(node),
                peers=written.peers | peers(self.spec, {node: inside_url}, [node]),
            )
            if self.written.wire_urls != written.wire_urls:
                self.tell_wires()
            self._lay_log(self.log_files()[f"{node}.requests"])
            try:
                self.run_part(node)
            except PortTaken:
                if last:
                    raise
                self.containers.remove(node)
            else:
                return

    def _new_wire(self, node: str) -> dict[str, str]:
        """Where a node that is being added reaches the store, if through a wire.

        Raises:
            UsageError: no wire is spare.
        """
        if node not in wire_ends(self.spec, [node]):
            return {}
        port = self.containers.published(WIRES, wire_port(node))
        if port is None:
            raise UsageError(
                f"there is no wire for {node}",
                why=f"{SPARE_WIRES} are spare: a container's ports are chosen when it is made",
                next_step="start a cluster with more nodes",
            )
        return {node: store_at(port)}

    # breaking and mending

    def kill(self, part: str) -> None:
        """SIGKILL everything in the part's container, through the engine."""
        self._strike("kill", part, "SIGKILL")

    def terminate(self, part: str) -> None:
        """SIGTERM its first process, which may end what it is doing; the others go when that one ends."""
        self._strike("terminate", part, "SIGTERM")

    def _strike(self, what: str, part: str, signal: str) -> None:
        self._known(part)
        with self._lock:
            if self._stopped:
                return
            self._ledger.broken(f"{what} {part}")
            self._hit[part] = self.containers.state(part).started
            self.containers.signal(part, signal)

    def freeze(self, part: str) -> None:
        """Pause its container: it keeps its memory and its connections, and answers nobody."""
        self._known(part)
        if not self._stopped:
            self._ledger.broken(f"freeze {part}")
            self.containers.pause(part)

    def thaw(self, part: str) -> None:
        """Let it go on. No-op if it is not frozen, or gone."""
        self._known(part)
        if not self._stopped:
            self.containers.unpause(part)

    def start(self, part: str) -> None:
        """Start a dead part's container again, on the same address; one made anew if its settings have changed."""
        self._known(part)
        with self.changing() as there:
            if there:
                self._start_part(part)
                self.rejoin(part)

    def _start_part(self, part: str) -> None:
        """While `changing`: threads of this process and other processes start one part at a time."""
        state = self.containers.state(part)
        if state.runs:
            if self._hit.get(part) != state.started:
                return
            # Struck a moment ago it is still dying, or ending what it was doing.
            self.containers.end(part, self.spec.limits.stop_s)
        plan = self._plan(part)
        for port in plan.publish.values():
            preflight(port, part)
        self.containers.run_again(plan, self.log_files()[part])
        self._hit.pop(part, None)

    # ending

    def stop(self) -> None:
        """Stop everything, keep the logs, and remove `work/`."""
        with self._lock:
            if not self._stopped:
                # First the balancer, by SIGTERM: it writes what is left of its access log; frozen it could not.
                self.containers.unpause(BALANCER)
                self.containers.stop(BALANCER, self.spec.limits.stop_s)
                self._fetch_logs()
            self._stopped = True
            self.containers.sweep()
            for log in self.mounted_logs():
                if log.exists():
                    give(log, "0:0")
            self._remove_work()
