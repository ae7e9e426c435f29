"""The network and the containers of one cluster: made with its labels and in the ledger, looked at, struck, made anew.

Docker gives a container an address of our choice only in a network whose range we chose. Which range is free, Docker
knows better than we do (other networks, routes of the machine), so it is asked for one first.
"""

import hashlib
import ipaddress
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import docker
import msgspec
import requests
from docker.errors import APIError, DockerException, NotFound
from docker.types import EndpointConfig, IPAMConfig, IPAMPool, NetworkingConfig

from compose.containers import LOOKS_WITHIN_S, SETTINGS, asking, connect, ensuring, labels, sweep
from compose.supervision.ledger import Ledger
from compose.supervision.ledger_file import Made, Making
from compose.supervision.ports import Listen
from compose.supervision.process_table import used_by_processes
from compose.supervision.waiting import wait_for
from shared.errors import EnvironmentNotReady, TwinshopError

DEAD_WITHIN_S = 5.0
FIRST_ADDRESS = 10  # in the network: those below are the gateway's, and of what a service rests on
MEGABYTE = 2**20
PROCESSES = 256  # threads count as processes do
_TRIES = 5
_HEALTH_EVERY_S = 0.3
_AT_ONCE = 8


class ContainerPlan(msgspec.Struct, frozen=True):
    """A container to be made."""

    name: str
    image: str
    command: tuple[str, ...]
    address: str
    """Its own, fixed for the life of the cluster: a node that comes back is where it was."""
    publish: dict[int, Listen]
    """Its ports, and the addresses of this machine that lead there."""
    memory_mb: int
    role: str = ""
    """For its label, if it is not its name: of a node, say."""
    processes: int = PROCESSES
    """The most it may have."""
    environment: dict[str, str] = {}
    entrypoint: tuple[str, ...] = ()
    """Empty: the image's own."""
    binds: tuple[str, ...] = ()
    """Folders and files of this machine that it sees, as Docker writes them: "/ours:/theirs:ro"."""
    in_memory: tuple[str, ...] = ()
    """Folders that are lost with the container; without, the image would make a volume."""
    user: str = ""
    """uid:gid; empty: the image's own, which sheds root by itself."""
    init: bool = False
    """A first process that passes signals on: for programs that, as the first one themselves, would not hear them."""
    folder: str = ""
    """In which it is started; empty: the image's own."""
    health: tuple[str, ...] = ()
    """The command that says, in the container, whether it is well, if others wait for that; empty: nobody asks."""

    @property
    def settings(self) -> str:
        """Another one as soon as it would be started with another command or environment."""
        return hashlib.sha256(repr((self.command, self.environment)).encode()).hexdigest()[:12]

    def host_settings(self) -> dict[str, Any]:
        """Docker's HostConfig."""
        return {
            "port_bindings": {f"{inside}/tcp": (at.host, at.port) for inside, at in self.publish.items()},
            "binds": list(self.binds),
            "tmpfs": dict.fromkeys(self.in_memory, ""),
            "mem_limit": self.memory_mb * MEGABYTE,
            "pids_limit": self.processes,
            "init": self.init,
            "security_opt": ["no-new-privileges"],
            "cap_drop": ["ALL"] if self.user else None,  # an image that sheds root by itself needs some for that
            # A part that dies stays dead: who starts it again is for the scenario to say.
            "restart_policy": {"Name": "no"},
        }


class State(msgspec.Struct, frozen=True):
    """A container, by the engine's books."""

    runs: bool
    """A paused one does."""
    words: str
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

    @cached_property
    def range(self) -> str:
        """Of the cluster's network, as in "172.20.0.0/16".

        Raises:
            EnvironmentNotReady: it was not made yet.
        """
        with asking(f"describe the network {self.network}"):
            return str(self.client.inspect_network(self.network)["IPAM"]["Config"][0]["Subnet"])

    def address(self, number: int) -> str:
        """The address of that number in it, from 0 on.

        Raises:
            EnvironmentNotReady: the engine gives out ranges too small for so many.
        """
        try:
            return str(ipaddress.ip_network(self.range)[FIRST_ADDRESS + number])
        except IndexError:
            raise EnvironmentNotReady(
                f"the network {self.network} has no address left",
                why=f"its range is {self.range}",
                next_step="give Docker larger ranges: `default-address-pools` in its daemon.json",
            ) from None

    def make_network(self) -> None:
        """Make it.

        Raises:
            EnvironmentNotReady: the engine refuses, or has no range left.
        """
        self._ledger.add(Making(f"network {self.network}", self._address))
        with asking("make a network"):
            for last in (*[False] * (_TRIES - 1), True):
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
            return State(False, f"container {name}: gone")
        except (APIError, requests.RequestException, OSError) as error:
            # As running: a fault counts only if it was seen, and this saw nothing.
            return State(True, f"container {name}: the engine does not say ({type(error).__name__})")
        state = found["State"]
        words = state["Status"] if state["Running"] else f"{state['Status']}, exit code {state['ExitCode']}"
        settings = (found["Config"]["Labels"] or {}).get(SETTINGS, "")
        return State(bool(state["Running"]), f"container {name}: {words}", settings, state["StartedAt"])

    def image(self, part: str) -> str | None:
        """The name of the image that the part's container was made of; None if it has none."""
        with asking(f"describe {part}"), suppress(NotFound):
            return str(self.client.inspect_container(self.name(part))["Config"]["Image"])
        return None

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
                ports=list(part.publish),
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
        if self.state(part.name).settings == part.settings:
            with ensuring(f"start {part.name}"):
                self.client.start(self.name(part.name))
            return
        # What the old one printed goes with it.
        self._fetch_log(part.name, log)
        self._earlier(part.name).write_bytes(log.read_bytes())
        self.remove(part.name)
        self.run(part)

    def remove(self, part: str) -> None:
        """Remove the part's container, whatever it does."""
        with ensuring(f"remove {part}"):
            self.client.remove_container(self.name(part), v=True, force=True)

    def signal(self, part: str, name: str) -> None:
        """Send everything in the part's container (SIGKILL), or its first process (all others), that signal."""
        with ensuring(f"send {part} {name}"):
            self.client.kill(self.name(part), name)

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
        return bool(wait_for(lambda: not self.state(part).runs or None, until=until))

    def stop(self, part: str, within_s: float) -> None:
        """SIGTERM, and SIGKILL for what is still there after that long."""
        with ensuring(f"stop {part}"):
            self.client.stop(self.name(part), timeout=int(within_s))

    def sweep(self) -> None:
        """Remove all of the cluster: containers, network, volumes."""
        sweep(self.client, self._ledger.run, self._cluster)


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
