"""The engine `docker`: the same cluster as containers, with Redis and PostgreSQL, on a network of its own.

As with processes, everything is started at once and then watched until it is seen to work.
"""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docker
import msgspec

from compose.balancers.envoy_config import ENDPOINTS_FILE, ROUTES_FILE, Listen, configuration
from compose.cluster import ClusterSpec
from compose.containers import images
from compose.containers.api import connect, engine_address
from compose.engines.cluster_file import SCHEMA, ClusterFile, read_cluster_file, work_folder
from compose.engines.contract import Cluster, Engine
from compose.engines.docker_cluster import DockerCluster
from compose.engines.docker_network import make_network
from compose.engines.docker_parts import (
    ACCESS_LOG,
    ADMIN_PORT,
    ANYWHERE,
    BALANCER_PORT,
    CONFIG_FOLDER,
    DATABASE,
    DATABASE_NAME,
    DATABASE_USER,
    NodeCommand,
    inside,
    peers,
    shop_command,
    spare_wires,
)
from compose.engines.observing import all_in_rotation, listen_to, shop_answers
from compose.engines.part_names import BALANCER, REPLICA, SENTINEL, other_parts
from compose.engines.process_addresses import lay_out, needed
from compose.engines.store import replicas_that_keep_up
from compose.supervision.ledger import Ledger
from compose.supervision.ports import HOST, free_ports, port_of, preflight
from compose.supervision.waiting import not_ready, wait_for
from shared.errors import EnvironmentNotReady, ForeignAnswer

POLL_S = 0.02
_CONNECT = "connect_timeout=2"


class DockerEngine(Engine):
    """Starts clusters of containers."""

    name = "docker"

    def __init__(self, node_command: NodeCommand = shop_command) -> None:
        self._node_command = node_command

    def start_once(self, spec: ClusterSpec, folder: Path, ledger: Ledger) -> Cluster:
        """Start a cluster and return it once it was observed to be ready."""
        address = engine_address()
        client = connect(address)
        try:
            images.ensure(client, images.needed(spec.architecture), _say)
            until = time.monotonic() + spec.limits.cluster_ready_s
            cluster = self._lay_out(spec, folder, ledger, client, address)
        except BaseException:
            client.close()
            raise
        try:
            _start_parts(cluster, ledger, until)
            _watch_until_ready(cluster, until)
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
        spare = spare_wires(spec)
        names = (*needed(spec), DATABASE, *(f"spare wire at {inside}" for inside in spare))
        at = dict(zip(names, free_ports(len(names)), strict=True))
        if spec.port is not None:
            at[BALANCER] = spec.port
        preflight(at[BALANCER], BALANCER)
        password = secrets.token_urlsafe(24)
        where = f"{HOST}:{at[DATABASE]}/{DATABASE_NAME}"
        bare = ClusterFile(
            schema=SCHEMA,
            engine=self.name,
            spec=spec,
            url="",
            admin_url="",
            node_urls={},
            database_url=f"postgresql+psycopg://{DATABASE_USER}:{password}@{where}?{_CONNECT}",
            secret_key=secrets.token_hex(32),
            next_key=secrets.token_hex(32),
            control_token=secrets.token_urlsafe(24),
            container_engine=address,
        )
        ledger.make_folder(work_folder(folder).absolute())
        cluster = DockerCluster(folder.absolute(), lay_out(bare, at), ledger, client, self._node_command)
        cluster.spare = {inside: at[f"spare wire at {inside}"] for inside in spare}
        return cluster


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _start_parts(cluster: DockerCluster, ledger: Ledger, until: float) -> None:
    """Make the network, write the files, start all containers at once (but the sentinel's)."""
    engine_at = cluster.written.container_engine or ""
    network = make_network(cluster.client, ledger, engine_at, cluster=cluster.spec.architecture.name)
    parts = (DATABASE, *cluster.parts())
    inside_urls = {part: inside(network, part) for part in parts}
    cluster.written = msgspec.structs.replace(
        cluster.written,
        inside_urls=inside_urls,
        peers=peers(cluster.spec, inside_urls, cluster.written.node_urls),
    )
    cluster.prepare_files(_balancer_configuration(cluster.spec))

    def start(part: str) -> None:
        if time.monotonic() > until:
            raise not_ready(part, "the time was over before it was started", cluster.folder / f"{part}.log")
        cluster.run_part(part)

    with ThreadPoolExecutor(len(parts)) as pool:
        list(pool.map(start, [part for part in parts if part != SENTINEL]))
    cluster.write()


def _balancer_configuration(spec: ClusterSpec) -> bytes:
    return configuration(
        spec,
        listen=Listen(ANYWHERE, BALANCER_PORT),
        admin=Listen(ANYWHERE, ADMIN_PORT),
        members=CONFIG_FOLDER / ENDPOINTS_FILE,
        routing=CONFIG_FOLDER / ROUTES_FILE,
        access_log=ACCESS_LOG,
    )


def _watch_until_ready(cluster: DockerCluster, until: float) -> None:
    limits, written = cluster.spec.limits, cluster.written
    each = min(until, time.monotonic() + limits.node_ready_s)
    _watch(cluster, DATABASE, lambda: _database_is_prepared(cluster), until=until)
    for part in other_parts(cluster.spec):
        if part not in (BALANCER, SENTINEL):
            _watch(cluster, part, lambda part=part: cluster.observe(part).answers, until=each)  # type: ignore[misc]
    if written.replica_url:
        copies, port = cluster.spec.architecture.replicas, port_of(written.store_url)
        _watch(cluster, REPLICA, lambda: replicas_that_keep_up(port) >= copies, until=each)
        # Had it come before the store, it would have taken it for dead, and promoted the replica.
        cluster.run_part(SENTINEL)
        _watch(cluster, SENTINEL, lambda: cluster.observe(SENTINEL).answers, until=each)
    for node in written.node_urls:
        _watch(cluster, node, lambda node=node: _node_is_ours(cluster, node), until=each)  # type: ignore[misc]
    # As with processes: the balancer learns of the nodes once they answer, and finds each healthy at its first look.
    nodes = list(written.node_urls)
    cluster.route_to(nodes)
    _watch(cluster, BALANCER, lambda: all_in_rotation(cluster.admin_url, len(nodes)), until=until)
    _watch(cluster, BALANCER, lambda: shop_answers(cluster.url, cluster.spec.run), until=until)


def _watch(cluster: DockerCluster, part: str, ready: Callable[[], bool], *, until: float) -> None:
    """Look until that part is ready.

    Raises:
        NotReadyInTime: it has ended, or the time is over.
    """
    began = time.monotonic()

    def look() -> bool | None:
        if ready():
            return True
        runs, words = cluster.in_the_books(part)
        if not runs:
            raise not_ready(part, f"it ended before it was ready ({words})", cluster.logs()[part])
        return None

    if wait_for(look, until=until, every_s=POLL_S) is None:
        why = f"it was not seen to work within {time.monotonic() - began:.1f} s"
        raise not_ready(part, why, cluster.logs()[part])


def _database_is_prepared(cluster: DockerCluster) -> bool:
    """PostgreSQL answers, and has the tables and the accounts."""
    from shared.shop.database import prepare  # costs 0.2 s to import; the containers start meanwhile

    spec = cluster.spec
    try:
        prepare(
            cluster.written.database_url,
            accounts=spec.accounts,
            password=spec.password,
            cost=spec.limits.password_cost,
        )
    except EnvironmentNotReady:
        return False
    return True


def _node_is_ours(cluster: DockerCluster, node: str) -> bool:
    voice = listen_to(cluster.written.node_urls[node], cluster.spec.run)
    if voice.foreign:
        raise ForeignAnswer(
            f"somebody else's server answers at {cluster.written.node_urls[node]}",
            why=voice.words,
            next_step="try again: other ports will be chosen",
        )
    return voice.answers
