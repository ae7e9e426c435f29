from __future__ import annotations

import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from compose.applications.contract import NodeSetup
from compose.balancers import BALANCERS
from compose.balancers.contract import Program
from compose.cluster import BALANCER, Wire
from compose.engines import readiness
from compose.engines.contract import Cluster, Engine
from compose.engines.processes import ProcessCluster, ProcessesEngine
from compose.engines.registry import engine_named
from compose.engines.store import master_address
from compose.supervision.ledger import Ledger
from compose.supervision.ledger_file import Broken
from compose.supervision.ports import Listen, port_of
from shared.errors import EnvironmentNotReady, ForeignAnswer, NotReadyInTime, PortTaken, UsageError
from tests.compose.contract import EngineContract, Visitor, new_spec, running, watch
from tests.compose.engine_tests import SMALL_SHOPS, small_node, whose_nodes_are
from tests.waiting import until

pytestmark = pytest.mark.cluster


def no_shop(_setup: NodeSetup) -> list[str]:
    return [sys.executable, "-c", "print('line\\n' * 40 + 'no shop today'); raise SystemExit(3)"]


class TestProcesses(EngineContract):
    @classmethod
    def make_engine(cls) -> Engine:
        return ProcessesEngine()

    @classmethod
    def make_small_engine(cls) -> Engine:
        return SMALL_SHOPS

    @classmethod
    def make_failing_engine(cls) -> Engine:
        return whose_nodes_are(no_shop)

    @pytest.fixture
    def small_cluster(self, tmp_path: Path) -> Iterator[Cluster]:
        with running(SMALL_SHOPS, new_spec(), tmp_path) as cluster:
            yield cluster

    def test_everything_listens_on_this_machine_only(self, cluster: Cluster) -> None:
        assert isinstance(cluster, ProcessCluster)
        names = (BALANCER, "n1", "n2", "n3")
        pids = {process.pid for process in cluster.written.processes if process.name in names}
        family = pids | {child.pid for pid in pids for child in psutil.Process(pid).children(recursive=True)}
        listening = {
            connection.laddr.ip
            for pid in family
            for connection in psutil.Process(pid).net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        }
        assert listening == {"127.0.0.1"}

    def test_secrets_are_for_us_alone(self, cluster: Cluster) -> None:
        work = cluster.folder / "work"
        assert stat.S_IMODE(work.stat().st_mode) == 0o700
        assert stat.S_IMODE((work / "cluster.json").stat().st_mode) == 0o600

    def test_a_killed_node_leaves_none_of_its_group(self, own_cluster: Cluster) -> None:
        (node,) = [node for node in own_cluster.nodes() if node.name == "n3"]
        assert node.pid is not None
        workers = psutil.Process(node.pid).children(recursive=True)
        assert workers
        own_cluster.kill("n3")
        watch(own_cluster, "n3", lambda seen: not seen.process)
        assert not [worker for worker in workers if worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE]

    def test_a_blow_is_in_the_ledger_before_it_strikes(
        self, small_cluster: Cluster, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        written: list[str] = []

        def fail(_ledger: Ledger, entry: Broken) -> None:
            written.append(entry.what)
            raise EnvironmentNotReady("the disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(Ledger, "add", fail)
            for do in (small_cluster.kill, small_cluster.terminate, small_cluster.freeze, small_cluster.drain):
                with pytest.raises(EnvironmentNotReady):
                    do("n1")
        assert written == ["kill n1", "terminate n1", "freeze n1", "drain n1"]
        seen = small_cluster.observe("n1")
        assert (seen.process, seen.answers, seen.in_rotation) == (True, True, True)

    def test_the_sentinel_is_asked_whom_an_old_store_follows(self, tmp_path: Path) -> None:
        with running(ProcessesEngine(), new_spec("redis-replica", nodes=1), tmp_path) as cluster:
            at = {part: cluster.address(part) for part in ("store", "replica", "sentinel")}
            assert master_address(at["sentinel"]) == str(Listen.at(at["store"]))
            assert master_address(at["store"]) is None  # it is no sentinel
            cluster.kill("sentinel")
            watch(cluster, "sentinel", lambda seen: not seen.answers)
            assert master_address(at["sentinel"]) is None
            cluster.start("sentinel")
            back = watch(cluster, "sentinel", lambda seen: seen.answers)
            assert any(f"address={Listen.at(at['store'])},slaves=1" in line for line in back.evidence)
            cluster.kill("replica")
            watch(cluster, "replica", lambda seen: not seen.answers)
            cluster.start("replica")
            watch(cluster, "replica", lambda seen: "master_link_status up" in " ".join(seen.evidence))

    def test_the_wires_come_back_as_they_were_told(self, tmp_path: Path) -> None:
        with running(ProcessesEngine(), new_spec("redis", nodes=1, wires=True), tmp_path) as cluster:
            cluster.wire("n1", Wire(delay_ms=100))
            before = cluster.observe("wires")
            cluster.kill("wires")
            watch(cluster, "wires", lambda seen: not seen.process and not seen.answers)
            assert not cluster.ask_across("n1").ok
            cluster.start("wires")
            back = watch(cluster, "wires", lambda seen: "n1 +100 ms" in " ".join(seen.evidence))
            assert back.boot != before.boot
            assert cluster.add_node() == "n2"
            watch(cluster, "n2", lambda seen: seen.in_rotation)
            assert cluster.ask_across("n2").took_ms < cluster.ask_across("n1").took_ms

    def test_an_interrupted_start_leaves_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupt(*_: object, until: float) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(readiness, "_watch", interrupt)
        with pytest.raises(KeyboardInterrupt), running(SMALL_SHOPS, new_spec(), tmp_path):
            pass
        assert not (tmp_path / "cluster" / "work").exists()

    def test_a_foreign_server_on_a_nodes_port_is_not_taken_for_ours(self, tmp_path: Path) -> None:
        def squatter(setup: NodeSetup) -> list[str]:
            return [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(setup.listen.port)]

        with pytest.raises(ForeignAnswer), running(whose_nodes_are(squatter), new_spec(nodes=1), tmp_path):
            pass

    def test_a_port_that_another_took_first_costs_one_more_try(self, tmp_path: Path) -> None:
        taken = list[int]()

        def late_once(setup: NodeSetup) -> list[str]:
            if taken:
                return small_node(setup)
            taken.append(setup.listen.port)
            return [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(setup.listen.port)]

        with running(whose_nodes_are(late_once), new_spec(nodes=1), tmp_path) as cluster:
            assert port_of(cluster.nodes()[0].url) not in taken

    def test_a_node_does_not_come_back_to_a_port_that_was_taken_meanwhile(self, small_cluster: Cluster) -> None:
        small_cluster.kill("n1")
        watch(small_cluster, "n1", lambda seen: not seen.process and not seen.answers)
        with socket.create_server(("127.0.0.1", port_of(small_cluster.nodes()[0].url))) as foreign:
            foreign.listen()
            with pytest.raises(PortTaken):
                small_cluster.start("n1")

    def test_the_balancer_writes_its_last_lines_before_it_goes(self, tmp_path: Path) -> None:
        with running(SMALL_SHOPS, new_spec(nodes=1), tmp_path) as cluster:
            with Visitor(cluster) as visitor:
                visitor.ask("GET", "/products", **{"X-Request-Id": "the-last-one"})
            access = cluster.logs()["access"]
        assert b"the-last-one" in access.read_bytes()

    def test_a_balancer_that_ends_is_seen(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        envoy = type(BALANCERS["envoy"])
        monkeypatch.setattr(envoy, "program", lambda _self: Program(Path(sys.executable), "1.40.0", pinned=False))
        monkeypatch.setattr(envoy, "words", lambda _self, _site: ["-c", "exit('no luck')"])
        with (
            pytest.raises(NotReadyInTime, match="balancer") as raised,
            running(ProcessesEngine(), new_spec(nodes=1), tmp_path),
        ):
            pass
        assert raised.value.tail == "no luck"

    def test_the_ledger_and_the_cluster_are_of_one_run(self, tmp_path: Path) -> None:
        with Ledger.open(tmp_path, "another") as ledger, pytest.raises(UsageError):
            ProcessesEngine().start(new_spec(), tmp_path / "cluster", ledger)


def test_engines_are_known_by_name() -> None:
    assert engine_named("processes").name == "processes"
    with pytest.raises(UsageError, match="no engine named 'kubernetes'"):
        engine_named("kubernetes")


def test_until_gives_up() -> None:
    assert not until(lambda: False, within_s=0.02)
