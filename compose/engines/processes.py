"""The engine `processes`: the balancer, the nodes and the session store as real processes of this machine.

Everything is started at once and then watched until it is seen to work: the store answers with the pid we started, each
node with our run's id, the balancer calls all of them healthy, and a request through it comes back with our run's id.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from pathlib import Path

from compose.balancers.envoy_config import ENDPOINTS_FILE, ROUTES_FILE, Listen, configuration
from compose.cluster import ClusterSpec
from compose.engines.cluster_file import SCHEMA, ClusterFile, read_cluster_file, work_folder
from compose.engines.contract import Cluster, Engine
from compose.engines.observing import all_in_rotation, listen_to, shop_answers
from compose.engines.part_names import BALANCER, REPLICA, SENTINEL, STORE, WIRES, check_distance, other_parts
from compose.engines.process_addresses import lay_out, needed
from compose.engines.process_cluster import NodeCommand, ProcessCluster
from compose.engines.process_parts import node_args
from compose.engines.store import replicas_that_keep_up, serving_pid
from compose.supervision.ledger import Ledger
from compose.supervision.ports import HOST, free_ports, port_of, preflight
from compose.supervision.waiting import not_ready, wait_for
from shared.errors import ForeignAnswer

POLL_S = 0.01


def shop_node(cluster: ClusterFile, node: str) -> list[str]:
    """The real shop."""
    return node_args(cluster.spec.architecture, port_of(cluster.node_urls[node]))


class ProcessesEngine(Engine):
    """Starts clusters of processes."""

    name = "processes"

    def __init__(self, node_command: NodeCommand = shop_node) -> None:
        self._node_command = node_command

    def start_once(self, spec: ClusterSpec, folder: Path, ledger: Ledger) -> Cluster:
        """Start a cluster and return it once it was observed to be ready."""
        cluster = self._lay_out(spec, folder, ledger)
        try:
            _start_parts(cluster)
            _watch_until_ready(cluster)
        except BaseException:
            cluster.stop()
            raise
        return cluster

    def attach(self, folder: Path, ledger: Ledger) -> Cluster:
        """The running cluster that was started in that folder by an earlier process."""
        return ProcessCluster(folder, read_cluster_file(folder), ledger, self._node_command)

    def _lay_out(self, spec: ClusterSpec, folder: Path, ledger: Ledger) -> ProcessCluster:
        """Choose addresses and secrets, and write the files that the parts read."""
        check_distance(spec)
        names = needed(spec)
        at = dict(zip(names, free_ports(len(names)), strict=True))
        if spec.port is not None:
            at[BALANCER] = spec.port
        for part, port in at.items():
            preflight(port, part)
        work = work_folder(folder).absolute()
        bare = ClusterFile(
            schema=SCHEMA,
            engine=self.name,
            spec=spec,
            url="",
            admin_url="",
            node_urls={},
            database_url=f"sqlite:///{work / 'shop.db'}",
            secret_key=secrets.token_hex(32),
            next_key=secrets.token_hex(32),
            control_token=secrets.token_urlsafe(24),
        )
        ledger.make_folder(work)
        cluster = ProcessCluster(folder.absolute(), lay_out(bare, at), ledger, self._node_command)
        cluster.write_files(_balancer_configuration(cluster))
        return cluster


def _balancer_configuration(cluster: ProcessCluster) -> bytes:
    return configuration(
        cluster.spec,
        listen=Listen.at(cluster.url),
        admin=Listen.at(cluster.admin_url),
        members=cluster.work / ENDPOINTS_FILE,
        routing=cluster.work / ROUTES_FILE,
        access_log=cluster.logs()["access"],
    )


def _start_parts(cluster: ProcessCluster) -> None:
    spec, written = cluster.spec, cluster.written
    for part in other_parts(spec):
        if part != SENTINEL:
            cluster.spawn_part(part)
    from shared.shop.database import prepare  # costs 0.2 s to import; the balancer starts meanwhile

    prepare(written.database_url, accounts=spec.accounts, password=spec.password, cost=spec.limits.password_cost)
    for node in written.node_urls:
        cluster.spawn_part(node)
    cluster.write()


def _watch_until_ready(cluster: ProcessCluster) -> None:
    limits = cluster.spec.limits
    now = time.monotonic()
    whole, each = now + limits.cluster_ready_s, now + min(limits.node_ready_s, limits.cluster_ready_s)
    for part in (STORE, REPLICA):
        if part in cluster.parts():
            _watch(cluster, part, lambda part=part: _server_is_ours(cluster, part), until=each)  # type: ignore[misc]
    if REPLICA in cluster.parts():
        _watch(cluster, REPLICA, lambda: replicas_that_keep_up(port_of(cluster.written.store_url)) == 1, until=each)
        # Not before: a store that is still on its way would be taken for dead, and its replica promoted.
        cluster.spawn_part(SENTINEL)
        cluster.write()
    for part in (SENTINEL, WIRES):
        if part in cluster.parts():
            _watch(cluster, part, lambda part=part: cluster.observe(part).answers, until=each)  # type: ignore[misc]
    for node in cluster.written.node_urls:
        _watch(cluster, node, lambda node=node: _node_is_ours(cluster, node), until=each)  # type: ignore[misc]
    # Only now does the balancer learn of the nodes: it then finds each healthy at its first look, and not one
    # interval after a look that came too early.
    nodes = list(cluster.written.node_urls)
    cluster.route_to(nodes)
    _watch(cluster, BALANCER, lambda: all_in_rotation(cluster.admin_url, len(nodes)), until=whole)
    _watch(cluster, BALANCER, lambda: shop_answers(cluster.url, cluster.spec.run), until=whole)


def _watch(cluster: ProcessCluster, part: str, ready: Callable[[], bool], *, until: float) -> None:
    """Look until that part is ready.

    Raises:
        NotReadyInTime: it has ended, or the time is over.
    """
    child = cluster.child(part)
    log = cluster.logs()[part]
    began = time.monotonic()

    def look() -> bool | None:
        if ready():
            return True
        if child is None or not child.alive():
            code = child.exit_code if child else None
            for port in cluster.listens_on(part):
                preflight(port, part)  # whoever took it since it was chosen is why the part ended
            raise not_ready(part, f"it ended with exit code {code} before it was ready", log)
        return None

    if wait_for(look, until=until, every_s=POLL_S) is None:
        raise not_ready(part, f"it was not seen to work within {time.monotonic() - began:.1f} s", log)


def _server_is_ours(cluster: ProcessCluster, part: str) -> bool:
    port = port_of(cluster.address(part))
    pid = serving_pid(port)
    child = cluster.child(part)
    if pid is None or child is None:
        return False
    if pid != child.pid:
        raise _foreign(f"{HOST}:{port}", f"the {part} we started has pid {child.pid}, the one that answers {pid}")
    return True


def _node_is_ours(cluster: ProcessCluster, node: str) -> bool:
    voice = listen_to(cluster.written.node_urls[node], cluster.spec.run)
    if voice.foreign:
        raise _foreign(cluster.written.node_urls[node], voice.words)
    return voice.answers


def _foreign(where: str, why: str) -> ForeignAnswer:
    return ForeignAnswer(
        f"somebody else's server answers at {where}", why=why, next_step="try again: other ports will be chosen"
    )
