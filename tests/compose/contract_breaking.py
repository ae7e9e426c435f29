"""The contract of an engine: parts are struck and mended, and are seen to be."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from compose.engines.contract import Cluster
from compose.probes import Unanswered
from compose.supervision.ledger import recover
from compose.supervision.ledger_file import ledgers
from shared.sessions import Injection
from tests.compose.engine_tests import SHORT_S, EngineTests, Visitor, looks_within, new_spec, running, watch
from tests.waiting import ask, until


def requests_at_nodes(cluster: Cluster) -> int:
    """How many the balancer has handed to nodes and not got back."""
    said = ask(f"{cluster.admin_url}/stats?filter=^cluster.nodes.upstream_rq_active$").body.decode()
    return int(said.rpartition(" ")[2])


HARNESS = """
import sys, time
from pathlib import Path
from compose.cluster import Wire
from compose.engines.registry import engine_named
from compose.supervision.ledger import Ledger, state_folder
from tests.compose.engine_tests import new_spec

spec = new_spec("redis", nodes=2, wires=True)
ledger = Ledger.open(state_folder(), spec.run)
cluster = engine_named(sys.argv[1]).start(spec, Path(sys.argv[2]), ledger)
cluster.freeze("n1")
cluster.freeze("store")
cluster.wire("n2", Wire(cut=True))
print(cluster.url, cluster.admin_url, *(node.url for node in cluster.nodes()), flush=True)
time.sleep(60)
"""


class BreakingContract(EngineTests):
    """Kill, terminate, freeze, thaw, start, of every part."""

    # breaking

    def test_a_killed_node_is_seen_to_be_dead_and_comes_back_as_another(self, own_cluster: Cluster) -> None:
        cluster = own_cluster
        before = cluster.observe("n2")
        cluster.kill("n2")
        dead = watch(cluster, "n2", lambda seen: not seen.process and not seen.answers)
        assert dead.boot is None
        assert any("refused" in line for line in dead.evidence)
        watch(cluster, "n2", lambda seen: not seen.in_rotation)
        assert cluster.held("n2") is None
        assert cluster.state("n2") is None
        assert (cluster.probe("n2").ok, cluster.probe("n2").status) == (False, 0)
        assert {ask(f"{cluster.url}/healthz").headers["x-node"] for _ in range(8)} == {"n1", "n3"}
        cluster.start("n2")
        back = watch(cluster, "n2", lambda seen: seen.answers and seen.in_rotation)
        assert back.boot not in (None, before.boot)
        assert [node.url for node in cluster.nodes() if node.name == "n2"]
        assert "n2" in {ask(f"{cluster.url}/healthz").headers["x-node"] for _ in range(8)}

    def test_all_may_be_repeated(self, tmp_path: Path) -> None:
        with running(self.make_engine(), new_spec(nodes=1), tmp_path) as cluster:
            self.repeat_all(cluster)

    def repeat_all(self, cluster: Cluster) -> None:
        boot = cluster.observe("n1").boot
        cluster.start("n1")  # it runs: nothing happens
        assert cluster.observe("n1").boot == boot
        cluster.kill("n1")
        cluster.kill("n1")
        cluster.thaw("n1")  # it is dead: nothing happens
        cluster.start("n1")  # at once, while it may still be dying
        cluster.start("n1")
        back = watch(cluster, "n1", lambda seen: seen.answers)
        assert back.boot != boot
        cluster.stop()
        cluster.stop()
        for do in (cluster.kill, cluster.terminate, cluster.freeze, cluster.thaw, cluster.start):
            do("n1")
        seen = cluster.observe("n1")
        assert (seen.process, seen.answers, seen.in_rotation, cluster.held("n1")) == (False, False, False, None)

    @pytest.mark.parametrize("part", ["n1", "balancer"])
    def test_a_frozen_part_answers_nobody_until_it_is_thawed(self, cluster: Cluster, part: str) -> None:
        self.freeze_and_thaw(cluster, part)

    def test_a_frozen_store_answers_nobody_until_it_is_thawed(self, store_cluster: Cluster) -> None:
        with Visitor(store_cluster) as visitor:
            visitor.log_in()
            self.freeze_and_thaw(store_cluster, "store")
            assert all(visitor.knows_me(times=3))

    def freeze_and_thaw(self, cluster: Cluster, part: str) -> None:
        with looks_within(SHORT_S):
            self.freeze_and_thaw_quickly(cluster, part)

    def freeze_and_thaw_quickly(self, cluster: Cluster, part: str) -> None:
        before = cluster.observe(part)
        cluster.thaw(part)  # it is not frozen: nothing happens
        cluster.freeze(part)
        cluster.freeze(part)
        frozen = watch(cluster, part, lambda seen: not seen.answers and not seen.in_rotation)
        assert (frozen.process, frozen.boot) == (True, None)
        assert any("timeout" in line for line in frozen.evidence)
        cluster.start(part)  # it is there: nothing happens
        assert not cluster.observe(part).answers
        cluster.thaw(part)
        cluster.thaw(part)
        back = watch(cluster, part, lambda seen: seen.answers and seen.in_rotation)
        assert back.boot == before.boot
        for node in cluster.nodes():  # without a balancer nobody said that they are well
            watch(cluster, node.name, lambda seen: seen.in_rotation)

    def test_a_cluster_with_frozen_parts_is_stopped_all_the_same(self, tmp_path: Path) -> None:
        with running(self.make_engine(), new_spec("redis", nodes=1), tmp_path) as cluster:
            for part in ("n1", "store", "balancer"):
                cluster.freeze(part)
            cluster.kill("n1")
            with looks_within(SHORT_S):
                watch(cluster, "n1", lambda seen: not seen.process)
            addresses = [cluster.url, cluster.admin_url, *(node.url for node in cluster.nodes())]
        for address in addresses:
            with pytest.raises(Unanswered, match="refused"):
                ask(f"{address}/healthz")
        assert not (tmp_path / "cluster" / "work").exists()
        assert list((tmp_path / "state" / "ledger").iterdir()) == []

    def test_a_terminated_part_ends_and_a_balancer_comes_back_and_knows_its_members(self, tmp_path: Path) -> None:
        with running(self.make_engine(), new_spec(nodes=2), tmp_path) as cluster:
            self.end_and_come_back(cluster)

    def end_and_come_back(self, cluster: Cluster) -> None:
        with Visitor(cluster) as visitor, ThreadPoolExecutor() as pool:
            home = visitor.log_in().headers["X-Node"]
            cluster.trouble(home, Injection(delay_ms=600))
            in_hand = pool.submit(visitor.ask, "GET", "/products")
            assert until(lambda: requests_at_nodes(cluster) == 1)
            self.terminate_and_start(cluster, home)
            assert in_hand.result(20).status_code == 200  # it ended what it was doing
        before = cluster.observe("balancer")
        with Visitor(cluster) as visitor:
            home = visitor.log_in().headers["X-Node"]
            cluster.kill("balancer")
            dead = watch(cluster, "balancer", lambda seen: not seen.process and not seen.answers)
            assert dead.boot is None
            assert not cluster.observe("n1").in_rotation  # nobody says so
            cluster.start("balancer")
            back = watch(cluster, "balancer", lambda seen: seen.answers)
            assert back.boot not in (None, before.boot)
            for node in cluster.nodes():
                watch(cluster, node.name, lambda seen: seen.in_rotation)
            assert {visitor.ask("GET", "/me").headers["X-Node"] for _ in range(6)} == {home}

    def terminate_and_start(self, cluster: Cluster, part: str) -> None:
        before = cluster.observe(part)
        cluster.terminate(part)
        watch(cluster, part, lambda seen: not seen.process and not seen.answers and not seen.in_rotation)
        cluster.terminate(part)
        cluster.start(part)
        back = watch(cluster, part, lambda seen: seen.in_rotation)
        assert back.boot != before.boot

    def test_a_killed_store_comes_back_empty(self, tmp_path: Path) -> None:
        with running(self.make_engine(), new_spec("redis", nodes=2), tmp_path) as cluster, Visitor(cluster) as visitor:
            visitor.log_in()
            assert all(visitor.knows_me(times=3))
            before = cluster.observe("store")
            cluster.kill("store")
            watch(cluster, "store", lambda seen: not seen.process and not seen.answers)
            assert not any(visitor.knows_me(times=3))
            cluster.start("store")
            back = watch(cluster, "store", lambda seen: seen.answers)
            assert back.boot != before.boot
            assert not any(visitor.knows_me(times=3))
            visitor.log_in()
            assert all(visitor.knows_me(times=3))

    def test_what_a_killed_harness_left_frozen_and_cut_is_gone(self, own_state: Path, tmp_path: Path) -> None:
        folder = tmp_path / "cluster"
        harness = subprocess.Popen(
            [sys.executable, "-c", HARNESS, self.make_engine().name, str(folder)], stdout=subprocess.PIPE, text=True
        )
        assert harness.stdout is not None
        addresses = harness.stdout.readline().split()
        harness.kill()
        harness.communicate()
        assert len(addresses) == 4
        done = recover(own_state)
        assert (len(done.runs), done.left) == (1, ())
        for address in addresses:
            with pytest.raises(Unanswered, match="refused"):
                ask(f"{address}/healthz")
        assert not (folder / "work").exists()
        assert ledgers(own_state) == []
