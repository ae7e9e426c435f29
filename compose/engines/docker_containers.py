"""The network and the containers of one cluster: made with its labels and in the ledger, looked at, struck, made anew.

Docker gives a container an address of our choice only in a network whose range we chose. Which range is free, Docker
knows better than we do (other networks, routes of the machine), so it is asked for one first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import docker
import msgspec
import requests
from docker.errors import APIError, DockerException, NotFound
from docker.types import EndpointConfig, IPAMConfig, IPAMPool, NetworkingConfig

from compose.containers import LOOKS_WITHIN_S, SETTINGS, asking, connect, labels, sweep
from compose.engines.docker_network import Network
from compose.engines.docker_parts import ContainerPlan
from compose.supervision.ledger import Ledger
from compose.supervision.ledger_file import Made, Making
from compose.supervision.process_table import used_by_processes
from compose.supervision.waiting import wait_for
from shared.errors import TwinshopError

DEAD_WITHIN_S = 5.0
_TRIES = 5
_NOT_RUNNING, _NO_SUCH = 409, 404
_HEALTH_EVERY_S = 0.3
# What the engine says, with other codes, when there is nothing to be done.
_SO_ALREADY = ("is not paused", "is not connected", "already exists in network")
_AT_ONCE = 8


class State(msgspec.Struct, frozen=True):
    """A container, by the engine's books."""

    runs: bool
    """A paused one does."""
    words: str
    there: bool = True
    settings: str = ""
    """`ContainerPlan.settings` of the part that it was made as."""
    started: str = ""
    """When it was started last, by the engine's clock."""


class Containers:
    """Everything is asked of the engine by the part's name: "n1"."""

    def __init__(self, client: docker.APIClient, ledger: Ledger, address: str, *, cluster: str, work: Path) -> None:
        self.client = client
        # Not to be asked for its version within the short time of a look: a busy engine would be taken for none.
        self.eye = connect(address, within_s=LOOKS_WITHIN_S, version=client.api_version)
        self.network = f"twinshop-{ledger.run}-{cluster}"
        self._ledger, self._address, self._cluster, self._work = ledger, address, cluster, work

    def name(self, part: str) -> str:
        """Of that part's container."""
        return f"{self.network}-{part}"

    def find_network(self) -> Network:
        """The cluster's network, made earlier.

        Raises:
            EnvironmentNotReady: there is none.
        """
        with asking(f"describe the network {self.network}"):
            config = self.client.inspect_network(self.network)["IPAM"]["Config"]
            return Network(self.network, str(config[0]["Subnet"]))

    def make_network(self) -> Network:
        """Make it.

        Raises:
            EnvironmentNotReady: the engine refuses, or has no range left.
        """
        for last in (*[False] * (_TRIES - 1), True):
            self._ledger.add(Making(f"network {self.network}", self._address))
            with asking("make a network"):
                made = self._create_network(None)
                config = self.client.inspect_network(made)["IPAM"]["Config"][0]
                # It was made to learn its range; only one whose range we name lets us choose addresses in it.
                self.client.remove_network(made)
                pool = IPAMPool(subnet=config["Subnet"], gateway=config.get("Gateway"))
                try:
                    self._create_network(IPAMConfig(pool_configs=[pool]))
                    break
                except APIError as error:
                    # Somebody else took the range in between: again.
                    if last or "overlaps" not in str(error.explanation):
                        raise
            self._ledger.add(Made(f"network {self.network}"))
        self._ledger.add(Made(f"network {self.network}"))
        return Network(self.network, str(config["Subnet"]))

    def _create_network(self, ipam: IPAMConfig | None) -> str:
        marks = labels(self._ledger.run, self._cluster, "network")
        made = self.client.create_network(self.network, driver="bridge", labels=marks, check_duplicate=True, ipam=ipam)
        return str(made["Id"])

    def state(self, part: str) -> State:
        """One look; an engine that does not say is no proof that the container is gone."""
        name = self.name(part)
        try:
            found = self.eye.inspect_container(name)
        except NotFound:
            return State(False, f"container {name}: gone", there=False)
        except (APIError, requests.RequestException, OSError) as error:
            # As running: a fault counts only if it was seen, and this saw nothing.
            return State(True, f"container {name}: the engine does not say ({type(error).__name__})")
        state = found["State"]
        words = state["Status"] if state["Running"] else f"{state['Status']}, exit code {state['ExitCode']}"
        settings = (found["Config"]["Labels"] or {}).get(SETTINGS, "")
        return State(bool(state["Running"]), f"container {name}: {words}", True, settings, state["StartedAt"])

    def image(self, part: str) -> str | None:
        """The name of the image that the part's container was made of; None if it has none."""
        with asking(f"describe {part}"), suppress(NotFound):
            return str(self.client.inspect_container(self.name(part))["Config"]["Image"])
        return None

    def published(self, part: str, inside: int) -> int | None:
        """The port of this machine that leads to that one of the part's container; None if none does."""
        with asking(f"describe {part}"):
            ports = self.client.inspect_container(self.name(part))["HostConfig"]["PortBindings"] or {}
        bound = ports.get(f"{inside}/tcp")
        return int(bound[0]["HostPort"]) if bound else None

    def used(self, part: str) -> tuple[float, int] | None:
        """Processor seconds and bytes of memory that the part's container uses; None if nobody says."""
        engine, name = self.eye, self.name(part)
        try:
            found = engine.inspect_container(name)
            pid, identity = int(found["State"]["Pid"]), str(found["Id"])
            if not pid:
                return None
            # The engine takes its figures once a second, and whoever asks waits for the next; the system answers now.
            return used_by_processes(pid) if _is_process_of(identity, pid) else _by_engine(engine, name)
        except (DockerException, requests.RequestException, OSError, KeyError):
            return None

    def fetch_logs(self, files: dict[str, Path]) -> None:
        """Write what the containers of these parts have printed so far."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:  # at once: a fault asks for logs just before it strikes
            list(pool.map(self._fetch_log, files, files.values()))

    def _fetch_log(self, part: str, file: Path) -> None:
        text = b""
        with suppress(APIError, requests.RequestException, OSError):
            text = self.client.logs(self.name(part), stdout=True, stderr=True)
        earlier = self._earlier(part)
        if earlier.exists():
            # The log is the part's, not the container's: one made anew goes on where the old one ended.
            text = earlier.read_bytes() + text
        # An engine that did not answer must not empty a log that was fetched before.
        if not file.exists() or (text and text != file.read_bytes()):
            file.write_bytes(text)

    def _earlier(self, part: str) -> Path:
        """What earlier containers of that part printed."""
        return self._work / f"earlier-{part}.log"

    def run(self, part: ContainerPlan) -> None:
        """Make and start one container.

        Raises:
            PortTaken, EnvironmentNotReady: as their names say.
        """
        name = self.name(part.name)
        self._ledger.add(Making(f"container {name}", self._address))
        with asking(f"make the container {name}"):
            # A part without an address of its own is given one below the first of ours.
            endpoint = EndpointConfig(self.client.api_version, ipv4_address=part.address or None, aliases=[part.name])
            self.client.create_container(
                part.image,
                command=list(part.command),
                entrypoint=list(part.entrypoint) or None,
                name=name,
                hostname=part.name,
                environment=part.environment,
                user=part.user or None,
                labels=labels(self._ledger.run, self._cluster, part.role or part.name) | {SETTINGS: part.settings},
                ports=list(part.published),
                working_dir=part.folder or None,
                # The health checks of compose files are for people; here they would cost CPU that is measured.
                healthcheck={"test": ["NONE"]},
                host_config=self.client.create_host_config(network_mode=self.network, **part.host_settings()),
                # Its stub is wrong: a mapping is meant.
                networking_config=NetworkingConfig({self.network: endpoint}),  # type: ignore[arg-type]
            )
            self._ledger.add(Made(f"container {name}"))
        with asking(f"start the container {name}"):
            self.client.start(name)

    def run_in_order(self, parts: Iterable[ContainerPlan], until: float) -> str:
        """Make and start one after the other, each when those before it are well by their own health checks.

        Returns:
            The name of the one that was not, until `time.monotonic()` passed `until`; "": all were, or do not say.

        Raises:
            PortTaken, EnvironmentNotReady: as `run`.
        """
        for part in parts:
            self.run(part)
            check = partial(self._is_well, part)
            if part.health and wait_for(check, until=until, every_s=_HEALTH_EVERY_S) is None:
                return part.name
        return ""

    def _is_well(self, part: ContainerPlan) -> bool | None:
        """Run its health check once: the engine would go on asking while people shop. None: not yet."""
        with asking(f"ask {part.name} whether it is well"):
            made = self.client.exec_create(self.name(part.name), list(part.health))
            self.client.exec_start(made["Id"])
            return self.client.exec_inspect(made["Id"])["ExitCode"] == 0 or None

    def run_again(self, part: ContainerPlan, log: Path) -> None:
        """Start a dead part's container; if it has other settings by now, or none is there, one made anew.

        Raises:
            PortTaken, EnvironmentNotReady: as their names say.
        """
        state = self.state(part.name)
        if state.there and state.settings == part.settings:
            self.do(f"start {part.name}", self.client.start, part.name)
            return
        # What the old one printed goes with it.
        self._fetch_log(part.name, log)
        self._earlier(part.name).write_bytes(log.read_bytes())
        self.remove(part.name)
        self.run(part)

    def remove(self, part: str) -> None:
        """Remove the part's container, whatever it does."""
        self.do(f"remove {part}", lambda name: self.client.remove_container(name, v=True, force=True), part)

    def do(self, what: str, deed: Callable[[str], object], part: str) -> None:
        """Carry it out; no error if it is so already."""
        with asking(what):
            try:
                deed(self.name(part))
            except APIError as error:
                if not _is_so_already(error):
                    raise

    def signal(self, part: str, name: str) -> None:
        """Send everything in the part's container (SIGKILL), or its first process (all others), that signal."""
        self.do(f"send {part} {name}", lambda container: self.client.kill(container, name), part)

    def end(self, part: str, within_s: float) -> None:
        """Wait for a part that was struck to end; if it does not by itself, SIGKILL it.

        Raises:
            TwinshopError: not even then.
        """
        if self._gone(part, within_s):
            return
        self.signal(part, "SIGKILL")
        if not self._gone(part, DEAD_WITHIN_S):
            raise TwinshopError(f"{part} was killed and is still there", next_step="twinshop status")

    def _gone(self, part: str, within_s: float) -> bool:
        until = time.monotonic() + within_s
        return wait_for(lambda: None if self.state(part).runs else True, until=until, every_s=0.02) is not None

    def stop(self, part: str, within_s: float) -> None:
        """SIGTERM, and SIGKILL for what is still there after that long."""
        self.do(f"stop {part}", lambda name: self.client.stop(name, timeout=int(within_s)), part)

    def sweep(self) -> None:
        """Remove all of the cluster: containers, network, volumes."""
        sweep(self.client, self._ledger.run, self._cluster)


def _is_so_already(error: APIError) -> bool:
    words = str(error.explanation)
    return error.status_code in (_NOT_RUNNING, _NO_SUCH) or any(known in words for known in _SO_ALREADY)


def _is_process_of(container: str, pid: int) -> bool:
    """Whether that pid is the container's here too: an engine in a virtual machine has other processes than we."""
    try:
        return container in Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        return False


def _by_engine(engine: docker.APIClient, name: str) -> tuple[float, int]:
    found = engine.stats(name, stream=False, one_shot=True)
    memory = found["memory_stats"]["stats"]
    # Anonymous memory alone: the page cache counts as a container's, but is not what sessions cost.
    anonymous = memory["anon"] if "anon" in memory else memory["total_rss"]  # cgroups, version 2 and 1
    return found["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9, int(anonymous)
