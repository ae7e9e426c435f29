from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import msgspec
import pytest

from compose.applications.contract import NodeSetup
from compose.cluster import NodeChanges
from compose.containers import RUN, of_run
from compose.engines import cluster_file, readiness
from compose.engines import contract as engine_contract
from compose.engines.contract import Cluster, Engine
from compose.engines.docker import DockerCluster, DockerEngine
from compose.engines.docker_parts import SPARE_WIRES
from compose.engines.registry import engine_named
from compose.running import keep_cluster
from compose.supervision.ledger import Ledger, recover
from compose.supervision.ledger_file import Making, Owner
from compose.supervision.ports import free_ports
from shared.errors import EnvironmentNotReady, PortTaken, UsageError
from tests.compose.contract import EngineContract, Visitor, new_spec, running, watch
from tests.compose.engine_tests import whose_nodes_are
from tests.containers import Foreigners, engine, left_since, things_with
from tests.waiting import until

__all__ = ["engine"]
pytestmark = [pytest.mark.docker, pytest.mark.cluster]


OTHERWISE_HERE = ("replicated-memory", "refresh-token-database", "sticky-address")
"""Architectures that need something else of containers than of processes: nodes that talk to each other, PostgreSQL,
addresses of another network. What tells the others apart is the same here: a node's environment, and Envoy's files.
"""


@pytest.fixture(scope="module", autouse=True)
def nothing_of_ours_is_left(engine: docker.APIClient) -> Iterator[None]:
    before = things_with(engine)
    yield
    assert left_since(engine, before) == set()


def no_shop(_setup: NodeSetup) -> list[str]:
    return ["python", "-c", "print('line\\n' * 40 + 'no shop today'); raise SystemExit(3)"]


def containers_of(engine: docker.APIClient, cluster: Cluster) -> dict[str, dict[str, object]]:
    found = engine.containers(all=True, filters=of_run(cluster.spec.run))
    return {one["Names"][0].rpartition("-")[2]: engine.inspect_container(one["Id"]) for one in found}


def psql(cluster: DockerCluster, query: str) -> str:
    words = ["psql", "-U", "shop", "-At", "-c", query]
    made = cluster.client.exec_create(cluster.containers.name("database"), words)
    return cluster.client.exec_start(made["Id"]).decode().strip()


class TestDocker(EngineContract):
    @classmethod
    def make_engine(cls) -> Engine:
        return DockerEngine()

    @classmethod
    def make_failing_engine(cls) -> Engine:
        return whose_nodes_are(no_shop, DockerEngine)

    @pytest.mark.parametrize("architecture", OTHERWISE_HERE)
    def test_every_architecture_remembers_as_it_should(self, architecture: str, tmp_path: Path) -> None:
        super().test_every_architecture_remembers_as_it_should(architecture, tmp_path)

    @pytest.mark.parametrize("which", ["cluster", "store_cluster"])
    def test_everything_is_published_on_this_machine_only_and_labelled(
        self, which: str, request: pytest.FixtureRequest, engine: docker.APIClient
    ) -> None:
        cluster: Cluster = request.getfixturevalue(which)
        found = containers_of(engine, cluster)
        assert set(found) == {"database", *cluster.parts()}
        for name, container in found.items():
            ports = container["NetworkSettings"]["Ports"]  # type: ignore[index]
            addresses = {binding["HostIp"] for bindings in ports.values() for binding in bindings or []}
            assert addresses == {"127.0.0.1"}, name
            host = container["HostConfig"]
            assert host["Memory"] > 0, name  # type: ignore[index]
            assert host["PidsLimit"] > 0, name  # type: ignore[index]
            assert {mount["Type"] for mount in container["Mounts"]} <= {"bind"}, name  # type: ignore[attr-defined]
        networks = engine.networks(filters=of_run(cluster.spec.run))
        assert [network["Labels"][RUN] for network in networks] == [cluster.spec.run]

    def test_whoever_need_not_be_root_is_not_and_nodes_have_no_compiler(
        self, store_cluster: Cluster, engine: docker.APIClient
    ) -> None:
        found = containers_of(engine, store_cluster)
        for name in ("n1", "balancer", "store", "wires"):
            assert not str(found[name]["Config"]["User"]).startswith("0"), name  # type: ignore[index]
        made = engine.exec_create(str(found["n1"]["Id"]), ["sh", "-c", "id -u; command -v gcc cc tcc; echo done"])
        assert engine.exec_start(made["Id"]).decode().split()[1:] == ["done"]

    def test_postgresql_really_holds_the_orders(self, cluster: Cluster) -> None:
        assert isinstance(cluster, DockerCluster)
        with Visitor(cluster, "user-0005") as visitor:
            visitor.log_in()
            sku = visitor.ask("GET", "/products").json()["products"][0]["sku"]
            visitor.ask("POST", "/cart", {"sku": sku, "quantity": 3})
            order = visitor.ask("POST", "/checkout", {}, **{"Idempotency-Key": "k5"}).json()["order"]
        lines = psql(cluster, f"select sku, quantity from order_lines where order_id = '{order}'")
        assert lines == f"{sku}|3"
        assert psql(cluster, "show server_encoding") == "UTF8"
        assert [one.lines for one in cluster.orders() if one.order == order] == [{sku: 3}]

    def test_a_node_obeys_sigterm(self, own_cluster: Cluster, engine: docker.APIClient) -> None:
        assert isinstance(own_cluster, DockerCluster)
        engine.stop(own_cluster.containers.name("n1"), timeout=8)
        state = engine.inspect_container(own_cluster.containers.name("n1"))["State"]
        assert state["ExitCode"] != 137, "it had to be killed"
        log = own_cluster.logs()["n1"].read_text()
        assert "Traceback" not in log

    def test_a_node_that_is_killed_keeps_its_address(self, own_cluster: Cluster, engine: docker.APIClient) -> None:
        assert isinstance(own_cluster, DockerCluster)

        def addresses() -> dict[str, str]:
            network = engine.inspect_network(own_cluster.containers.network)
            return {one["Name"][-2:]: one["IPv4Address"] for one in network["Containers"].values()}

        before = addresses()
        for node in ("n1", "n2"):
            own_cluster.kill(node)
        for node in ("n2", "n1"):
            own_cluster.start(node)
            watch(own_cluster, node, lambda seen: seen.answers)
        assert addresses() == before

    def test_a_node_with_other_settings_is_made_anew_where_it_was_and_its_log_goes_on(
        self, own_cluster: Cluster, engine: docker.APIClient
    ) -> None:
        cluster = own_cluster
        before = containers_of(engine, cluster)
        boots = {cluster.observe("n2").boot}
        for changes in (NodeChanges("next", fallback="own"), NodeChanges("next", fallback="own"), NodeChanges()):
            cluster.change("n2", changes)
            cluster.terminate("n2")
            cluster.start("n2")
            back = watch(cluster, "n2", lambda seen: seen.in_rotation and seen.answers and seen.boot not in boots)
            boots.add(back.boot)
            state = cluster.state("n2")
            assert state is not None
            assert (state.key, state.fallback) == (changes.key, changes.fallback)
        after = containers_of(engine, cluster)
        assert after["n2"]["Id"] != before["n2"]["Id"]
        assert after["n1"]["Id"] == before["n1"]["Id"]
        for what in ("Image", "Config"):
            same = [found["n2"][what] for found in (before, after)]
            assert same[0] == same[1]

    def test_what_a_part_uses_is_known_at_once(self, cluster: Cluster) -> None:
        assert isinstance(cluster, DockerCluster)

        def quick() -> bool:
            began = time.monotonic()
            used = cluster.containers.used("n1")
            ended = time.monotonic()
            assert used is not None
            assert 0 < used[0] < 60
            assert 20e6 < used[1] < 384e6
            return ended - began < 1.0

        assert until(quick), "Docker's own statistics take a second or two"
        assert cluster.containers.used("n9") is None

    def test_wires_end_when_they_are_told_to_and_lead_to_nodes_that_come_later(self, tmp_path: Path) -> None:
        with running(DockerEngine(), new_spec("redis", nodes=1, wires=True), tmp_path) as cluster:
            before = cluster.observe("wires")
            cluster.terminate("wires")
            watch(cluster, "wires", lambda seen: not seen.process)
            cluster.start("wires")
            assert watch(cluster, "wires", lambda seen: seen.answers).boot != before.boot
            new = [f"n{number}" for number in range(2, 2 + SPARE_WIRES)]
            for node in new:
                assert cluster.add_node() == node
                assert until(lambda node=node: cluster.ask_across(node).ok)  # type: ignore[misc]
                cluster.kill(node)
            with pytest.raises(UsageError, match="no wire for n5"):
                cluster.add_node()
            assert [node.name for node in cluster.nodes()] == ["n1", *new]
            for node in new:
                watch(cluster, node, lambda seen: not seen.process)
            used = cluster.usage()
            assert set(used) == {"n1", "store"}
            assert used["store"].counters["commands"] > 0

    def test_a_sentinel_comes_when_there_is_something_to_watch(self, tmp_path: Path, engine: docker.APIClient) -> None:
        with running(DockerEngine(), new_spec("redis-replica", nodes=1), tmp_path) as cluster:
            found = containers_of(engine, cluster)
            started = {name: str(found[name]["State"]["StartedAt"]) for name in ("sentinel", "store", "replica")}  # type: ignore[index]
            assert max(started, key=started.__getitem__) == "sentinel"
            assert "role master" in " ".join(cluster.observe("store").evidence)

    def test_versions_name_what_really_ran(self, cluster: Cluster) -> None:
        versions = cluster.versions()
        assert versions["docker engine"]
        assert versions["image envoyproxy/envoy:v1.40.0"].startswith("sha256:")

    def test_an_interrupted_start_leaves_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: docker.APIClient
    ) -> None:
        def interrupt(*_: object, until: float) -> None:
            raise KeyboardInterrupt

        spec = new_spec(nodes=1)
        monkeypatch.setattr(readiness, "_watch", interrupt)
        with pytest.raises(KeyboardInterrupt), running(DockerEngine(), spec, tmp_path):
            pass
        assert things_with(engine, f"{RUN}={spec.run}") == set()
        assert not (tmp_path / "cluster" / "work").exists()

    def test_a_start_that_finds_a_port_taken_leaves_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: docker.APIClient
    ) -> None:
        spec, tried = new_spec(nodes=1), []
        with socket.create_server(("127.0.0.1", 0)) as somebody:

            def last_one_taken(count: int) -> list[int]:
                tried.append(things_with(engine, f"{RUN}={spec.run}"))
                return [*free_ports(count - 1), somebody.getsockname()[1]]

            monkeypatch.setattr(cluster_file, "free_ports", last_one_taken)
            monkeypatch.setattr(engine_contract, "START_TRIES", 2)
            with pytest.raises(PortTaken), running(DockerEngine(), spec, tmp_path):
                pass
        assert tried == [set()] * 2, "each try begins with nothing left of the one before"
        assert things_with(engine, f"{RUN}={spec.run}") == set()
        assert not (tmp_path / "cluster" / "work").exists()

    def test_the_ledger_and_the_cluster_are_of_one_run(self, tmp_path: Path) -> None:
        with Ledger.open(tmp_path, "another") as ledger, pytest.raises(UsageError):
            DockerEngine().start(new_spec(), tmp_path / "cluster", ledger)

    def test_recovery_removes_what_a_dead_owner_left_and_nothing_else(
        self, tmp_path: Path, engine: docker.APIClient
    ) -> None:
        spec, state = new_spec("redis-replica", nodes=1, wires=True), tmp_path / "state"
        with Foreigners(engine, spec.run) as foreigners:
            ledger = Ledger.open(state, spec.run)
            cluster = DockerEngine().start(spec, tmp_path / "cluster", ledger)
            cluster.add_node()
            for part in ("n1", "store", "wires"):
                cluster.freeze(part)
            engine.create_volume(f"twinshop-{spec.run}-left", labels={RUN: spec.run})
            assert recover(state).runs == (), "its owner lives"
            _orphan(ledger.path)
            done = recover(state)
            assert done.runs == (spec.run,)
            assert len(done.containers) == 8 + len(("network", "volume"))
            assert done.left == ()
            assert things_with(engine, f"{RUN}={spec.run}") == set()
            assert foreigners.are_well()
        assert not (tmp_path / "cluster" / "work").exists()

    def test_recovery_leaves_a_kept_cluster_alone_until_it_is_litter(
        self, tmp_path: Path, engine: docker.APIClient
    ) -> None:
        spec, state = new_spec(nodes=1), tmp_path / "state"
        keep_cluster(state, DockerEngine(), spec, lambda _cluster: None)
        path = state / "ledger" / f"{spec.run}.ndjson"
        _orphan(path)
        assert recover(state).runs == ()
        for container in engine.containers(filters=of_run(spec.run)):
            engine.kill(container["Id"])
        assert recover(state).runs == (spec.run,), "as after a restart of the machine"
        assert things_with(engine, f"{RUN}={spec.run}") == set()

    def test_an_engine_that_does_not_answer_keeps_the_ledger(self, tmp_path: Path) -> None:
        state = tmp_path / "state"
        ledger = Ledger.open(state, "0badcafe")
        ledger.add(Making("container twinshop-0badcafe-n1", f"unix://{tmp_path}/no.sock"))
        with pytest.raises(EnvironmentNotReady, match="does not answer any more") as raised:
            ledger.close()
        assert "twinshop recover" in raised.value.next_step
        assert ledger.path.exists()


def _orphan(ledger: Path) -> None:
    """Write the ledger as if its owner had died."""
    lines = ledger.read_text().splitlines(keepends=True)
    dead = subprocess.Popen(["true"])
    dead.wait()
    lines[0] = msgspec.json.encode(Owner(dead.pid, "never")).decode() + "\n"
    ledger.write_text("".join(lines))


def test_the_engine_is_known_by_name(engine: docker.APIClient) -> None:
    assert engine_named("docker").name == "docker"
