"""A running cluster of processes: what can be asked of it and done to it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from compose.applications.node_settings import node_environment
from compose.cluster import NodeAddress, Usage
from compose.engines.cluster_file import ClusterFile, Process
from compose.engines.part_names import BALANCER, REPLICA, SENTINEL, STORE, WIRES
from compose.engines.process_addresses import lay_out_one_more, needed_by_one_more
from compose.engines.process_parts import balancer_args, wires_args
from compose.engines.store import master_by, sentinel_file, sentinel_settings, server_args, server_program
from compose.engines.written_cluster import WrittenCluster
from compose.links.link_file import WireFile
from compose.probes.usage import Used, usage_of, used_by_processes
from compose.supervision.child import Child, spawn
from compose.supervision.ledger import Ledger
from compose.supervision.ports import HOST, free_ports, port_of, preflight
from shared.errors import TwinshopError, UsageError
from shared.whole_file import write_whole

NODE_GRACE_S = 0.3
"""After SIGTERM, nodes and the store have this long before SIGKILL: at the end of a run nobody waits for an answer."""
REPLACED_WITHIN_S = 1.0

SENTINEL_FILE, WIRES_FILE = "sentinel.conf", "wires.json"

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
        urls = [self.url, self.admin_url] if part == BALANCER else [self.address(part)]
        return [port_of(url) for url in urls]

    def in_the_books(self, part: str) -> tuple[bool, str]:
        """Whether the part's process exists (a frozen one does), and the same in words."""
        child = self._children.get(part)
        process = child is not None and child.alive()
        pid = "" if child is None else f" {child.pid}"
        return process, f"process group{pid}: {'alive' if process else 'gone'}"

    # breaking and mending a part

    def kill(self, part: str) -> None:
        """SIGKILL the part's whole process group."""
        self._strike("kill", part, Child.kill, deadly=True)

    def terminate(self, part: str) -> None:
        """SIGTERM it: it may end what it is doing."""
        self._strike("terminate", part, Child.terminate)

    def freeze(self, part: str) -> None:
        """SIGSTOP it."""
        self._strike("freeze", part, Child.freeze)

    def thaw(self, part: str) -> None:
        """SIGCONT it. No-op if it is not frozen, or gone."""
        self._known(part)
        child = self._children.get(part)
        if child is not None:
            child.thaw()

    def _strike(self, what: str, part: str, blow: Callable[[Child], None], *, deadly: bool = False) -> None:
        self._known(part)
        child = self._children.get(part)
        if child is not None:
            self._ledger.broken(f"{what} {part}")
            with self._lock:
                if deadly:
                    self._struck.add(part)
                blow(child)

    def start(self, part: str) -> None:
        """Start a dead part again, on the same address. A node that was removed joins the balancer's members again."""
        self._known(part)
        with self.changing() as there:
            if there:
                self._start_part(part)
                self.rejoin(part)

    def _start_part(self, part: str) -> None:
        """While `changing`: threads of this process and other processes start one part at a time."""
        old = self._children.get(part)
        if old is not None:
            if part not in self._struck and old.alive():
                return
            # Struck a moment ago it may still be dying; what of its group outlived its leader must go first.
            old.kill()
            if not old.gone(REPLACED_WITHIN_S):
                raise TwinshopError(f"{part} was killed and is still there", next_step="twinshop status")
            self._ledger.ended(part, old.pid)
        for port in self.listens_on(part):
            preflight(port, part)
        self.spawn_part(part)
        self._struck.discard(part)
        self.write()

    def _reread(self) -> None:
        """Another process may have changed the cluster, or started a part, since."""
        super()._reread()
        for process in self.written.processes:
            mine = self._children.get(process.name)
            if mine is None or mine.pid != process.pid:
                self._children[process.name] = Child(process.name, process.pid, process.born, self.spec.run)
                self._struck.discard(process.name)

    def logs(self) -> dict[str, Path]:
        """The logs by part."""
        found = {part: self.folder / f"{part}.log" for part in self.parts()}
        found |= {f"{node}.requests": self.folder / f"{node}.requests.ndjson" for node in self.written.node_urls}
        return found | {"access": self.folder / "access.ndjson"}

    def usage(self) -> dict[str, Usage]:
        """What each node and each store uses of the machine."""
        written = self.written
        stores = {STORE: written.store_url, REPLICA: written.replica_url}
        return usage_of(written.node_urls, {part: url for part, url in stores.items() if url}, self._used)

    def _used(self, part: str) -> Used | None:
        child = self._children.get(part)
        return used_by_processes(child.pid) if child is not None and child.alive() else None

    # starting

    def spawn_part(self, part: str) -> None:
        """Start the process of that part."""
        args, env = self._how_to_run(part)
        with self._lock:
            self._children[part] = spawn(self._ledger, part, args, env=env, log=self.logs()[part], cwd=self.work)

    def _how_to_run(self, part: str) -> tuple[list[str], dict[str, str]]:
        """Its command, and what its environment has beside ours."""
        match part:
            case "balancer":
                return balancer_args(self.work / "balancer.json"), {}
            case "store" | "replica":
                port, limits = port_of(self.address(part)), self.spec.limits
                return server_args(server_program(), port, self.work / part, limits, replica_of=self._follows(part)), {}
            case "sentinel":
                return [str(server_program()), str(self.work / SENTINEL / SENTINEL_FILE), "--sentinel"], {}
            case "wires":
                return wires_args(self.work / WIRES_FILE), {}
            case _:
                return self._node_command(self.written, part), self._node_environment(part)

    def _follows(self, part: str) -> int | None:
        """The port that leads to the server whose copy that part is to be; None: it is nobody's.

        As a system's start-up would, it asks the sentinel, so that a store that was replaced does not come back as a
        second one. (Told by nobody, it would be one for 10 s, until the sentinel makes it follow.)
        """
        written = self.written
        ours = port_of(written.store_url)
        named = master_by(port_of(written.sentinel_url)) if written.sentinel_url else None
        leads = ours if named is None else named
        if leads == port_of(self.address(part)):
            return None
        return port_of(written.wire_urls[part]) if leads == ours and part in written.wire_urls else leads

    def write_files(self, balancer: bytes) -> None:
        """Write, before anything is started, what the parts read."""
        write_whole(self.work / "balancer.json", balancer, mode=0o600)
        self.tell_routes()
        self.route_to([])
        written = self.written
        for part in {STORE, REPLICA, SENTINEL} & set(self.parts()):
            (self.work / part).mkdir(mode=0o700)
        if SENTINEL in self.parts():
            store, replica = ((HOST, port_of(url)) for url in (written.store_url, written.replica_url))
            lines = sentinel_settings(store, replica, wired=WIRES in self.parts())
            folder = self.work / SENTINEL
            content = sentinel_file(port_of(written.sentinel_url), folder, lines)
            write_whole(folder / SENTINEL_FILE, content, mode=0o600)
        if WIRES in self.parts():
            self.tell_wires()

    def tell_wires(self) -> None:
        """Replace the file that the wires follow."""
        written = self.written
        store = f"{HOST}:{port_of(written.store_url)}"
        lines = {end: self.line(end, f"{HOST}:{port_of(url)}", store) for end, url in written.wire_urls.items()}
        told = WireFile(f"{HOST}:{port_of(written.wires_url)}", lines)
        write_whole(self.work / WIRES_FILE, msgspec.json.encode(told), mode=0o600)

    def _node_environment(self, node: str) -> dict[str, str]:
        written = self.written
        key, fallback = self.keys(node)
        return node_environment(
            self.spec,
            node,
            database_url=written.database_url,
            secret_key=key,
            fallback_key=fallback,
            control_token=written.control_token,
            request_log=str(self.logs()[f"{node}.requests"].absolute()),
            store_url=written.wire_urls.get(node, written.store_url),
            sentinel=f"{HOST}:{port_of(written.sentinel_url)}" if written.sentinel_url else "",
            replica_self=written.peers.get(node, ""),
            replica_peers=",".join(address for peer, address in written.peers.items() if peer != node),
        )

    def add_node(self) -> str:
        """Start one node more and return its name at once; it is sent shoppers as soon as it is healthy.

        Raises:
            UsageError: the cluster was stopped.
        """
        with self.changing() as there:
            if not there:
                raise UsageError("a cluster that was stopped gets no node", next_step="twinshop up")
            node = f"n{len(self.written.node_urls) + 1}"
            names = needed_by_one_more(self.spec, node)
            at = dict(zip(names, free_ports(len(names)), strict=True))
            for part, port in at.items():
                preflight(port, part)
            self._ledger.broken(f"add {node}")
            self.written = lay_out_one_more(self.written, node, at)
            self.write()
            if self.written.wires_url:
                self.tell_wires()
            self._start_part(node)
            self.route()
            return node

    def tell_balancer(self, file: str, content: bytes) -> None:
        """Replace one of the files that the balancer watches."""
        write_whole(self.work / file, content, mode=0o600)

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
            if child.name == BALANCER:
                child.thaw()  # frozen, it could not write its last lines
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
