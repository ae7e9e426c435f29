"""The engine `processes`: the balancer, the nodes and the session store as real processes of this machine.

All are on 127.0.0.1, on free ports; accounts and orders are in an SQLite file.
"""

import os
import signal
import sys
import time
from pathlib import Path

import msgspec

from compose.applications.contract import NodeSetup
from compose.balancers import check_balancer, check_public
from compose.balancers.contract import Routing, Site
from compose.cluster import BALANCER, CACHE, REPLICA, SENTINEL, STORE, WIRES, ClusterSpec, NodeAddress, check_distance
from compose.engines import page_cache
from compose.engines.cluster_file import (
    ClusterFile,
    Process,
    first_ports,
    new_cluster,
    ports_of_one_more,
    read_cluster_file,
    with_nodes,
    work_folder,
)
from compose.engines.contract import Blow, Cluster, Engine
from compose.engines.persisted_cluster import PREPARE_LOG
from compose.engines.readiness import bring_up
from compose.engines.routed_cluster import WIRES_FILE, RoutedCluster
from compose.engines.store import sentinel_settings, server_args, server_program, serving_pid
from compose.supervision.child import Child, spawn
from compose.supervision.ledger import Ledger
from compose.supervision.ledger_file import Ended
from compose.supervision.ports import HOST, Listen, port_of, preflight
from compose.supervision.process_table import used_by_processes
from shared.errors import TwinshopError

# After SIGTERM, nodes and the store have this long before SIGKILL: at the end of a run nobody waits for an answer.
NODE_GRACE_S = 0.3
REPLACED_WITHIN_S = 1.0
SENTINEL_FILE = "sentinel.conf"
SHARED = "shared"  # the folder that all nodes of a described application share
BALANCER_GRACE_S = 1.0  # a balancer with an `end_signal` has this long to end by itself before SIGTERM
_SIGNALS = {"kill": signal.SIGKILL, "terminate": signal.SIGTERM, "freeze": signal.SIGSTOP, "thaw": signal.SIGCONT}


class ProcessesEngine(Engine):
    """Starts clusters of processes."""

    name = "processes"

    def start_once(self, spec: ClusterSpec, folder: Path, ledger: Ledger) -> Cluster:
        """Start a cluster and return it once it was observed to be ready."""
        check_distance(spec)
        check_balancer(spec.architecture, spec.balancer)
        at = first_ports(spec)
        for part, port in at.items():
            preflight(port, part)
        check_public(spec)
        work = work_folder(folder)
        written = new_cluster(self.name, spec, f"sqlite:///{work / 'shop.db'}", at)
        ledger.make_folder(work)
        cluster = ProcessCluster(folder, written, ledger)
        return bring_up(cluster, time.monotonic() + spec.limits.cluster_ready_s)

    def attach(self, folder: Path, ledger: Ledger) -> Cluster:
        """The running cluster that was started in that folder by an earlier process."""
        return ProcessCluster(folder, read_cluster_file(folder), ledger)


class ProcessCluster(RoutedCluster):
    """Processes of this machine, all on 127.0.0.1."""

    def __init__(self, folder: Path, written: ClusterFile, ledger: Ledger) -> None:
        super().__init__(folder, written, ledger)
        self.told_folder = self.work
        self._children = {p.name: Child(p.name, p.pid, p.born, written.spec.run) for p in written.processes}
        self._killed: set[str] = set()

    def nodes(self) -> tuple[NodeAddress, ...]:
        """All nodes, dead ones too, in the order of their names."""
        pids = {name: child.pid for name, child in self._children.items()}
        return tuple(NodeAddress(name, url, pids.get(name)) for name, url in self.written.node_urls.items())

    def process_state(self, part: str) -> tuple[bool, str, str | None]:
        """By its process group, and by its leader's birth."""
        child = self._children.get(part)
        if child is None:
            return False, "process group: gone", None
        lives = child.alive()
        return lives, f"process group {child.pid}: {'alive' if lives else 'gone'}", f"{child.pid}@{child.born}"

    def why_ended(self, part: str) -> str:
        """How it has ended, in words; raises PortTaken if somebody took its port since it was chosen."""
        child = self._children.get(part)
        if child is not None and child.alive():
            return ""
        # A program says "address in use" in words of its own, or not at all.
        for port in self._listens_on(part):
            preflight(port, part)
        return f"with exit code {child.exit_code if child else None}"

    def stranger(self, part: str) -> str:
        """A store says its pid: it must be the one that we started."""
        child = self._children.get(part)
        if part not in (STORE, REPLICA) or child is None:
            return ""
        pid = serving_pid(self.address(part))
        return "" if pid in (None, child.pid) else f"the {part} we started has pid {child.pid}, the one there {pid}"

    def _listens_on(self, part: str) -> list[int]:
        urls = [self.url, self.admin_url] if part == BALANCER else [self.address(part)]
        return [port_of(url) for url in urls]

    def used(self, part: str) -> tuple[float, int] | None:
        """What the part's processes use of the machine."""
        child = self._children.get(part)
        return used_by_processes(child.pid) if child is not None and child.alive() else None

    def versions(self) -> dict[str, str]:
        """The balancer's program."""
        return {self.balancer.package: self.balancer.program().version}

    def _write_files(self) -> None:
        written, there = self.written, self.parts()
        self.write_balancer_files(Routing())
        for part in {STORE, REPLICA, SENTINEL, CACHE} & set(there):
            (self.work / part).mkdir(mode=0o700)
        if CACHE in there:
            self._write_cache_file()
        if SENTINEL in there:
            folder = self.work / SENTINEL
            own = [f"port {port_of(written.sentinel_url)}", f"bind {HOST}", f'dir "{folder}"', "set-proc-title no"]
            lines = [*own, *sentinel_settings(written.reach(STORE), written.reach(REPLICA), wired=WIRES in there), ""]
            # It rewrites the file itself, and reads it again when it is started again.
            self.write_file(folder / SENTINEL_FILE, "\n".join(lines).encode())
        self.tell_wires()

    def _write_cache_file(self) -> None:
        folder, listen = self.work.absolute() / CACHE, Listen.at(self.written.cache_url)
        http, balancer = self.application.http, Listen.at(self.url)
        self.write_file(
            folder / page_cache.CONFIG_FILE, page_cache.configuration(self.spec, http, listen, balancer, folder)
        )

    def balancer_site(self) -> Site:
        """Where the balancer runs."""
        http = self.application.http
        listen, admin = Listen.at(self.url), Listen.at(self.admin_url)
        public = Listen(self.spec.public.host, self.spec.public.port) if self.spec.public else None
        return Site(self.spec, http, listen, admin, self.work.absolute(), self.own_access_log.absolute(), public)

    def start_all(self, parts: list[str], _until: float) -> None:
        """Write what the parts read, prepare what the nodes need, and start them."""
        self._write_files()
        (self.work / SHARED).mkdir(mode=0o700, exist_ok=True)
        first = next(iter(self.written.node_urls))
        self.application.before_start(self.spec, self._node_setup(first), self.folder / PREPARE_LOG)
        for part in sorted(parts, key=lambda part: part != BALANCER):  # first the one that takes longest
            self.run_part(part)

    def run_part(self, part: str) -> None:
        """Start the process of that part."""
        args, env = self._how_to_run(part)
        with self._lock:
            log = self.log_files()[part]
            where = Path(self.application.home or self.work) if part in self.written.node_urls else self.work
            self._children[part] = spawn(self._ledger, part, args, env=env, log=log, cwd=where)

    def _how_to_run(self, part: str) -> tuple[list[str], dict[str, str]]:
        """Its command, and what its environment has beside ours."""
        if part in self.written.node_urls:
            setup = self._node_setup(part)
            return self.application.command(self.spec, setup), self.application.environment(self.spec, setup)
        if part == BALANCER:
            return [str(self.balancer.program().path), *self.balancer.words(self.balancer_site())], {}
        if part == CACHE:
            return page_cache.command(self.work / CACHE), {}
        if part == SENTINEL:
            return [str(server_program()), str(self.work / SENTINEL / SENTINEL_FILE), "--sentinel"], {}
        if part == WIRES:
            return [sys.executable, "-P", "-m", "compose.delay_proxy", str(self.work / WIRES_FILE)], {}
        port = port_of(self.address(part))
        return server_args(server_program(), port, self.work / part, self.spec.limits, self.follows(part)), {}

    def _node_setup(self, node: str) -> NodeSetup:
        return self.written.node_setup(
            node,
            Listen.at(self.written.node_urls[node]),
            self.written.database_url,
            str((self.folder / f"{node}.requests.ndjson").absolute()),
            folder=str(self.work.absolute() / SHARED),
        )

    def start_again(self, part: str) -> None:
        """While `changing`: threads of this process and other processes start one part at a time."""
        old = self._children.get(part)
        if old is not None:
            # Somebody else started it, or it never fell. What was killed can look alive for some milliseconds.
            if part not in self._killed and old.alive():
                return
            # Struck a moment ago it may still be dying; what of its group outlived its leader must go first.
            old.send(signal.SIGKILL)
            if not old.gone(REPLACED_WITHIN_S):
                raise TwinshopError(f"{part} was killed and is still there", next_step="twinshop status")
            self._ledger.add(Ended(part, old.pid))
        for port in self._listens_on(part):
            preflight(port, part)
        self.run_part(part)
        self._killed.discard(part)
        self.write()

    def run_new_node(self, node: str) -> None:
        """On free ports; its wire is listened at before it begins."""
        at = ports_of_one_more(self.spec, node)
        for part, port in at.items():
            preflight(port, part)
        self.written = with_nodes(self.written, [node], at)
        self.write()
        self.tell_wires()
        self.start_again(node)

    def hit(self, blow: Blow, part: str) -> None:
        """Send the whole process group the signal for it."""
        child = self._children.get(part)
        if child is not None:
            if blow == "kill":
                self._killed.add(part)
            child.send(_SIGNALS[blow])

    def signal_balancer(self, name: str) -> None:
        """Send it that signal; its workers, if it has some, are for itself to tell."""
        child = self._children.get(BALANCER)
        if child is not None and child.alive():
            os.kill(child.pid, signal.Signals[name])

    def _reread(self) -> None:
        super()._reread()
        for process in self.written.processes:
            mine = self._children.get(process.name)
            # Another process has started the part since. Only then: our own object knows the exit code, which that of
            # another process's child never tells us.
            if mine is None or mine.pid != process.pid:
                self._children[process.name] = Child(process.name, process.pid, process.born, self.spec.run)
                self._killed.discard(process.name)

    def write(self) -> None:
        """Write down what another process needs to attach."""
        processes = tuple(Process(name, child.pid, child.born) for name, child in self._children.items())
        self.written = msgspec.structs.replace(self.written, processes=processes)
        super().write()

    def stop(self) -> None:
        """Stop everything and remove `work/`."""
        with self._lock:
            self._stopped = True
            children = dict(self._children)
            balancer = children.pop(BALANCER, None)
            if balancer is not None:  # first, so that it writes its access log while there is still a cluster
                if self.balancer.end_signal:
                    # A frozen one hears no signal.
                    balancer.send(signal.SIGCONT)
                    self.signal_balancer(self.balancer.end_signal)
                    balancer.gone(BALANCER_GRACE_S)  # streams that shoppers keep open would hold it for longer
                self._end([balancer], grace_s=self.spec.limits.stop_s)
            self._end(list(children.values()), grace_s=NODE_GRACE_S)
            self._children.clear()
            self._close()

    def _end(self, children: list[Child], *, grace_s: float) -> None:
        for child in children:
            child.send(signal.SIGTERM)
            if child.name == BALANCER:
                child.send(signal.SIGCONT)  # frozen, it could not write its last lines
        deadline = time.monotonic() + grace_s
        for child in children:
            child.gone(deadline - time.monotonic())
            child.send(signal.SIGKILL)
        deadline = time.monotonic() + self.spec.limits.stop_s
        for child in children:
            if not child.gone(deadline - time.monotonic()):
                raise TwinshopError(
                    f"{child.name} (pid {child.pid}) was killed and is still there", next_step="twinshop recover"
                )
            self._ledger.add(Ended(child.name, child.pid))
