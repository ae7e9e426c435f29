"""A running cluster of containers: what can be asked of it and done to it."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import docker
import requests
from docker.errors import APIError, NotFound
from docker.types import EndpointConfig, NetworkingConfig

from compose.balancer import Endpoint, Listen, endpoints
from compose.cluster import NodeAddress, Observation
from compose.cluster_file import ClusterFile
from compose.containers.api import LOOKS_WITHIN_S, asking, connect, give
from compose.containers.images import needed
from compose.containers.labels import labels
from compose.containers.sweep import sweep
from compose.engines.docker_parts import BALANCER, DATABASE, STORE, Part
from compose.engines.written_cluster import WrittenCluster
from compose.ledger import Ledger
from compose.observing import ask_balancer, listen_to
from compose.ports import port_of, preflight
from compose.waiting import wait_for
from shared.errors import EnvironmentNotReady, TwinshopError

DEAD_WITHIN_S = 5.0
_NOT_RUNNING, _NO_SUCH = 409, 404
_SO_ALREADY = ("is not paused", "is not connected", "already exists in network")
"""What the engine says, with other codes, when there is nothing to be done."""


class DockerCluster(WrittenCluster):
    """Containers on a network of their own; what we talk to is published on 127.0.0.1."""

    engine = "docker"

    def __init__(self, folder: Path, written: ClusterFile, ledger: Ledger, client: docker.APIClient) -> None:
        super().__init__(folder, written, ledger)
        self.client = client
        self._address = written.container_engine or ""
        self._eye = connect(self._address, within_s=LOOKS_WITHIN_S)
        for one in (client, self._eye):
            weakref.finalize(self, one.close)  # whoever kept the cluster does not keep our connections

    # asking

    def nodes(self) -> tuple[NodeAddress, ...]:
        """All nodes, dead ones too, in the order of their names. Their processes are the engine's, not ours."""
        return tuple(NodeAddress(name, url, None) for name, url in self.written.node_urls.items())

    def container(self, part: str) -> str:
        """The name of that part's container."""
        return f"{self.network}-{part}"

    @property
    def network(self) -> str:
        """The name of the cluster's network."""
        return f"twinshop-{self.spec.run}-{self.spec.architecture.name}"

    def state(self, part: str) -> tuple[bool, str]:
        """Whether the part's container runs (a paused one does), and the same in words, by the engine's books."""
        name = self.container(part)
        if self._stopped:
            return False, f"container {name}: removed"
        try:
            state = self._eye.inspect_container(name)["State"]
        except NotFound:
            return False, f"container {name}: gone"
        except (APIError, requests.RequestException, OSError) as error:
            return True, f"container {name}: the engine does not say ({type(error).__name__})"
        words = f"{state['Status']}, exit code {state['ExitCode']}" if not state["Running"] else state["Status"]
        return bool(state["Running"]), f"container {name}: {words}"

    def observe(self, node: str) -> Observation:
        """Look at a node from outside: the engine's books, its port, the balancer."""
        url = self._node_url(node)
        process, words = self.state(node)
        voice = listen_to(url, self.spec.run)
        routed = ask_balancer(self.admin_url, self.written.inside_urls[node])
        return Observation(
            part=node,
            at=time.monotonic(),
            process=process,
            answers=voice.answers,
            in_rotation=routed.in_rotation,
            boot=voice.boot,
            evidence=(words, voice.words, f"envoy: {', '.join(routed.trouble) or 'healthy'}"),
        )

    def versions(self) -> dict[str, str]:
        """The Docker engine, and each image with the id of what it really was."""
        names = needed(self.spec.architecture.store)
        with asking("describe itself"):
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

    # logs

    def logs(self) -> dict[str, Path]:
        """The logs by part. What a container printed is fetched from the engine now; the others grow by themselves."""
        with self._lock:
            if not self._stopped:
                self._fetch_logs()
        return self.log_files()

    def log_files(self) -> dict[str, Path]:
        """As `logs`, without fetching anything."""
        found = {part: self.folder / f"{part}.log" for part in self._parts()}
        found |= {f"{node}.requests": self.folder / f"{node}.requests.ndjson" for node in self.written.node_urls}
        return found | {"access": self.folder / "access.ndjson"}

    def _parts(self) -> list[str]:
        stored = [STORE] if self.written.store_url else []
        return [BALANCER, DATABASE, *stored, *self.written.node_urls]

    def _fetch_logs(self) -> None:
        with ThreadPoolExecutor(8) as pool:  # at once: a fault asks for logs just before it strikes
            list(pool.map(self._fetch_log, self._parts()))

    def _fetch_log(self, part: str) -> None:
        file = self.folder / f"{part}.log"
        text = b""
        with suppress(APIError, requests.RequestException, OSError):
            text = self.client.logs(self.container(part), stdout=True, stderr=True)
        if not file.exists() or (text and text != file.read_bytes()):
            file.write_bytes(text)

    # making

    def prepare_files(self, configuration: bytes, user: str) -> None:
        """Write what the containers will find mounted: the balancer's configuration, and empty logs they may write."""
        folder = self.configuration_folder
        folder.mkdir(mode=0o755)
        self._write(folder / "balancer.json", configuration)
        self.route_to([])
        for name, log in self.log_files().items():
            if log.suffix == ".ndjson" or name == BALANCER:
                log.touch()
        for log in self.mounted_logs():
            give(log, user)

    def mounted_logs(self) -> list[Path]:
        """Those that containers write themselves, so that a line is here before the container that wrote it can die."""
        return [log for log in self.log_files().values() if log.suffix == ".ndjson"]

    @property
    def configuration_folder(self) -> Path:
        """What the balancer sees as its own; inside `work/`, which nobody else may enter."""
        return self.work / "balancer"

    def _write(self, path: Path, content: bytes) -> None:
        # It holds no secret, and whoever runs in the container must read it. By rename: Envoy watches for that.
        draft = path.with_name(f".{path.name}.new")
        draft.write_bytes(content)
        draft.chmod(0o644)
        draft.replace(path)

    def route_to(self, nodes: list[str]) -> None:
        """Tell the balancer its members: it watches the file."""
        members = [Endpoint(node, Listen.at(self.written.inside_urls[node])) for node in nodes]
        self._write(self.configuration_folder / "endpoints.json", endpoints(members))

    def run_part(self, part: Part) -> None:
        """Make and start one container.

        Raises:
            PortTaken, EnvironmentNotReady: as their names say.
        """
        name = self.container(part.name)
        self._ledger.making(f"container {name}", self._address)
        with asking(f"make the container {name}"):
            self.client.create_container(
                part.image,
                command=list(part.command),
                entrypoint=list(part.entrypoint) or None,
                name=name,
                hostname=part.name,
                environment=part.environment,
                user=part.user or None,
                labels=labels(self.spec.run, self.spec.architecture.name, part.role),
                ports=list(part.publish),
                # The health checks of compose files are for people; here they would cost CPU that is measured.
                healthcheck={"test": ["NONE"]},
                host_config=self.client.create_host_config(network_mode=self.network, **part.host_settings()),
                networking_config=NetworkingConfig(  # its stub is wrong: a mapping is meant
                    {self.network: self._endpoint(part.name, part.address)}  # type: ignore[arg-type]
                ),
            )
            self._ledger.made(f"container {name}")
        with asking(f"start the container {name}"):
            self.client.start(name)

    def _endpoint(self, part: str, address: str) -> EndpointConfig:
        return EndpointConfig(self.client.api_version, ipv4_address=address, aliases=[part])

    # breaking and mending

    def kill(self, node: str) -> None:
        """SIGKILL everything in the node's container, through the engine."""
        self._node_url(node)
        if self._stopped:
            return
        self._ledger.broken(f"kill {node}")
        with self._lock:
            self._struck.add(node)
            self._do(f"kill {node}", lambda name: self.client.kill(name, "SIGKILL"), node)

    def start(self, node: str) -> None:
        """Start a dead node's container again, on the same address."""
        url = self._node_url(node)
        with self._lock:
            if self._stopped:
                return
            running, _words = self.state(node)
            if running and node not in self._struck:
                return
            self._wait_until_dead(node)
            preflight(port_of(url), node)
            self._do(f"start {node}", self.client.start, node)
            self._struck.discard(node)

    def _wait_until_dead(self, node: str) -> None:
        """Struck a moment ago it may still be dying, and what runs cannot be started."""
        until = time.monotonic() + DEAD_WITHIN_S
        if wait_for(lambda: None if self.state(node)[0] else True, until=until, every_s=0.02) is None:
            raise TwinshopError(f"{node} was killed and is still there", next_step="twinshop status")

    def pause(self, node: str) -> None:
        """Freeze a node: it keeps its memory and its connections, and answers nobody."""
        self._node_url(node)
        self._ledger.broken(f"pause {node}")
        self._do(f"pause {node}", self.client.pause, node)

    def unpause(self, node: str) -> None:
        """Let it go on."""
        self._node_url(node)
        self._do(f"unpause {node}", self.client.unpause, node)

    def disconnect(self, node: str) -> None:
        """Cut a node off from the cluster's network: from balancer, store and database, and from us."""
        self._node_url(node)
        self._ledger.broken(f"disconnect {node}")
        cut = self.client.disconnect_container_from_network
        self._do(f"disconnect {node}", lambda name: cut(name, self.network), node)

    def connect(self, node: str) -> None:
        """Give it its network back, and its own address in it."""
        self._node_url(node)
        address = Listen.at(self.written.inside_urls[node]).host
        join = self.client.connect_container_to_network
        self._do(f"connect {node}", lambda name: join(name, self.network, ipv4_address=address, aliases=[node]), node)

    def _do(self, what: str, deed: Callable[[str], object], part: str) -> None:
        """Carry it out; no error if it is so already."""
        with asking(what):
            try:
                deed(self.container(part))
            except APIError as error:
                if not _is_so_already(error):
                    raise

    # ending

    def stop(self) -> None:
        """Stop everything, keep the logs, and remove `work/`."""
        with self._lock:
            if not self._stopped:
                # First the balancer, by SIGTERM: it writes what is left of its access log.
                grace_s = int(self.spec.limits.stop_s)
                self._do("stop the balancer", lambda name: self.client.stop(name, timeout=grace_s), BALANCER)
                self._fetch_logs()
            self._stopped = True
            sweep(self.client, self.spec.run, self.spec.architecture.name)
            for log in self.mounted_logs():
                if log.exists():
                    give(log, "0:0")
            self._remove_work()


def _is_so_already(error: APIError) -> bool:
    words = str(error.explanation)
    return error.status_code in (_NOT_RUNNING, _NO_SUCH) or any(known in words for known in _SO_ALREADY)
