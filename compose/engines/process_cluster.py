"""A running cluster of processes: what can be asked of it and done to it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from filelock import FileLock

from compose.balancer import Endpoint, Listen, endpoints
from compose.child import Child, spawn
from compose.cluster import NodeAddress, Observation
from compose.cluster_file import ClusterFile, Process, read_cluster_file
from compose.engines.written_cluster import WrittenCluster
from compose.ledger import Ledger
from compose.node_settings import node_environment
from compose.observing import ask_balancer, listen_to
from compose.ports import port_of, preflight
from shared.errors import TwinshopError
from shared.whole_file import write_whole

BALANCER = "balancer"
STORE = "store"
NODE_GRACE_S = 0.3
"""After SIGTERM, nodes and the store have this long before SIGKILL: at the end of a run nobody waits for an answer."""
REPLACED_WITHIN_S = 1.0

NodeCommand = Callable[[ClusterFile, str], list[str]]
"""The command that runs a node, from the cluster and the node's name."""


class ProcessCluster(WrittenCluster):
    """Processes of this machine, all on 127.0.0.1."""

    engine = "processes"

    def __init__(self, folder: Path, written: ClusterFile, ledger: Ledger, node_command: NodeCommand) -> None:
        super().__init__(folder, written, ledger)
        self._node_command = node_command
        self._children = {p.name: Child(p.name, p.pid, p.born, written.spec.run) for p in written.processes}

    def nodes(self) -> tuple[NodeAddress, ...]:
        """All nodes, dead ones too, in the order of their names."""
        urls = self.written.node_urls
        return tuple(NodeAddress(name, url, self._pid(name)) for name, url in urls.items())

    def _pid(self, name: str) -> int | None:
        child = self._children.get(name)
        return child.pid if child else None

    def child(self, name: str) -> Child | None:
        """The process of that part (balancer, store, n1, …); None if it was never started."""
        return self._children.get(name)

    def listens_on(self, part: str) -> list[int]:
        """The ports of that part."""
        written = self.written
        urls = {BALANCER: [self.url, self.admin_url], STORE: [written.store_url]}.get(part)
        return [port_of(url) for url in urls or [written.node_urls[part]]]

    def kill(self, node: str) -> None:
        """SIGKILL the node's whole process group."""
        self._node_url(node)
        child = self._children.get(node)
        if child is not None:
            self._ledger.broken(f"kill {node}")
            with self._lock:
                self._struck.add(node)
                child.kill()

    def start(self, node: str) -> None:
        """Start a dead node again, on the same address."""
        url = self._node_url(node)
        with self._lock:
            if self._stopped:
                return
            with FileLock(self.work / "start.lock", timeout=self.spec.limits.stop_s):
                self._start_node(node, url)

    def _start_node(self, node: str, url: str) -> None:
        """With both locks held: threads of this process and other processes start one node at a time."""
        self._reread()
        old = self._children.get(node)
        if old is not None:
            if node not in self._struck and old.alive():
                return
            # Struck a moment ago it may still be dying; what of its group outlived its leader must go first.
            old.kill()
            if not old.gone(REPLACED_WITHIN_S):
                raise TwinshopError(f"{node} was killed and is still there", next_step="twinshop status")
            self._ledger.ended(node, old.pid)
        preflight(port_of(url), node)
        self.spawn_node(node)
        self._struck.discard(node)
        self.write()

    def _reread(self) -> None:
        """Another process may have started a node since."""
        for process in read_cluster_file(self.folder).processes:
            mine = self._children.get(process.name)
            if mine is None or mine.pid != process.pid:
                self._children[process.name] = Child(process.name, process.pid, process.born, self.spec.run)
                self._struck.discard(process.name)

    def observe(self, node: str) -> Observation:
        """Look at a node from outside."""
        url = self._node_url(node)
        child = self._children.get(node)
        process = child is not None and child.alive()
        voice = listen_to(url, self.spec.run)
        routed = ask_balancer(self.admin_url, url)
        pid = "" if child is None else f" {child.pid}"
        return Observation(
            part=node,
            at=time.monotonic(),
            process=process,
            answers=voice.answers,
            in_rotation=routed.in_rotation,
            boot=voice.boot,
            evidence=(
                f"process group{pid}: {'alive' if process else 'gone'}",
                voice.words,
                f"envoy: {', '.join(routed.trouble) or 'healthy'}",
            ),
        )

    def logs(self) -> dict[str, Path]:
        """The logs by part."""
        found = {BALANCER: self.folder / "balancer.log", "access": self.folder / "access.ndjson"}
        for node in self.written.node_urls:
            found[node] = self.folder / f"{node}.log"
            found[f"{node}.requests"] = self.folder / f"{node}.requests.ndjson"
        if self.written.store_url:
            found[STORE] = self.folder / "store.log"
        return found

    def spawn(self, name: str, args: list[str], env: dict[str, str]) -> None:
        """Start one part of the cluster."""
        with self._lock:
            self._children[name] = spawn(self._ledger, name, args, env=env, log=self.logs()[name], cwd=self.work)

    def spawn_node(self, node: str) -> None:
        """Start a node's process."""
        written = self.written
        env = node_environment(
            self.spec,
            node,
            database_url=written.database_url,
            secret_key=written.secret_key,
            control_token=written.control_token,
            request_log=str(self.logs()[f"{node}.requests"].absolute()),
            store_url=written.store_url,
        )
        self.spawn(node, self._node_command(written, node), env)

    def route_to(self, nodes: list[str]) -> None:
        """Tell the balancer its members: it watches the file."""
        members = [Endpoint(node, Listen.at(self._node_url(node))) for node in nodes]
        write_whole(self.work / "endpoints.json", endpoints(members), mode=0o600)

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
                self._end([balancer], grace_s=self.spec.limits.stop_s)
            self._end(list(children.values()), grace_s=NODE_GRACE_S)
            self._children.clear()
            self._remove_work()

    def _end(self, children: list[Child], *, grace_s: float) -> None:
        for child in children:
            child.terminate()
        deadline = time.monotonic() + grace_s
        for child in children:
            child.gone(deadline - time.monotonic())
            child.kill()
        deadline = time.monotonic() + self.spec.limits.stop_s
        for child in children:
            if not child.gone(deadline - time.monotonic()):
                raise TwinshopError(
                    f"{child.name} (pid {child.pid}) was killed and is still there", next_step="twinshop recover"
                )
            self._ledger.ended(child.name, child.pid)
