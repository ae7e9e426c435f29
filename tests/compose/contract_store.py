"""The contract of an engine: the session store, its replica and its wires behave as the cluster's limits say."""

from __future__ import annotations

from pathlib import Path

import pytest

from compose.cluster import Limits, Wire
from compose.engines.contract import Cluster
from compose.probes import ask_server
from shared.errors import UsageError
from tests.compose.engine_tests import EngineTests, Visitor, new_spec, running, watch
from tests.waiting import until

SECOND_MS = 1000


def tell_store(cluster: Cluster, part: str, command: str) -> str:
    """What a store answers to a command of a line."""
    return ask_server(cluster.address(part), command, within_s=SECOND_MS / 1000)


def quickest_ms(cluster: Cluster, end: str) -> float:
    """Of a few answers over that wire: a busy machine makes some of them slow."""
    replies = [cluster.ask_across(end) for _ in range(5)]
    assert all(reply.ok for reply in replies), replies
    return min(reply.took_ms for reply in replies)


def says(cluster: Cluster, part: str, words: str) -> None:
    """Wait until the part's evidence has these words."""
    watch(cluster, part, lambda seen: words in " ".join(seen.evidence))


class StoreContract(EngineTests):
    """What nodes and stores say to each other."""

    def test_a_wire_is_slow_for_one_end_alone(self, store_cluster: Cluster) -> None:
        cluster = store_cluster
        assert "wires" in cluster.parts()
        try:
            cluster.wire("n2", Wire(delay_ms=120))
            says(cluster, "wires", "n2 +120 ms")
            assert quickest_ms(cluster, "n2") >= 120
            assert quickest_ms(cluster, "n1") < 120
        finally:
            cluster.wire("n2", Wire())
        says(cluster, "wires", "none slow or cut")
        assert quickest_ms(cluster, "n2") < 120

    def test_a_cut_wire_cuts_off_one_node_alone_and_is_joined_again(self, store_cluster: Cluster) -> None:
        cluster = store_cluster
        with Visitor(cluster) as visitor:
            visitor.log_in()
            assert all(visitor.knows_me(times=3))
            cluster.wire("n2", Wire(cut=True))
            try:
                says(cluster, "wires", "n2 cut")
                reply = cluster.ask_across("n2")
                assert (reply.ok, reply.words.startswith("PING: timeout")) == (False, True)
                assert reply.took_ms < 3 * SECOND_MS
                answers = [visitor.ask("GET", "/me") for _ in range(6)]
                known = {answer.headers["X-Node"]: answer.status_code for answer in answers}
                assert (known["n1"], known["n3"]) == (200, 200)
                assert known["n2"] >= 500
                assert cluster.observe("store").answers
            finally:
                cluster.wire("n2", Wire())
            says(cluster, "wires", "none slow or cut")
            assert cluster.ask_across("n2").ok
            assert until(lambda: all(visitor.knows_me(times=3)))

    def test_where_nothing_is_wired_nothing_can_be_cut(self, cluster: Cluster) -> None:
        for do in (lambda end: cluster.wire(end, Wire()), cluster.ask_across):
            with pytest.raises(UsageError, match="no wire between 'n1'"):
                do("n1")

    def test_a_store_is_as_the_limits_say(self, tmp_path: Path) -> None:
        """Far away, bounded, and with a file from which it comes back as it was."""
        limits = Limits(store_distance_ms=30, store_append_only=True, store_memory_mb=48, store_eviction="allkeys-lru")
        spec = new_spec("redis", limits=limits)
        with running(self.make_engine(), spec, tmp_path) as cluster, Visitor(cluster) as visitor:
            assert quickest_ms(cluster, "n3") >= 30
            info = tell_store(cluster, "store", "INFO memory")
            assert f"maxmemory:{48 * 2**20}\r" in info
            assert "maxmemory_policy:allkeys-lru" in info
            visitor.log_in()
            cluster.kill("store")
            watch(cluster, "store", lambda seen: not seen.process and not seen.answers)
            cluster.start("store")
            watch(cluster, "store", lambda seen: seen.answers)
            assert until(lambda: all(visitor.knows_me(times=3)))

    def test_a_replica_is_promoted_and_the_old_store_follows_it(self, tmp_path: Path) -> None:
        spec = new_spec("redis-replica", nodes=2, wires=True, limits=Limits(store_min_replicas=1))
        with running(self.make_engine(), spec, tmp_path) as cluster, Visitor(cluster) as visitor:
            assert {"store", "replica", "sentinel", "wires"} <= set(cluster.parts())
            assert cluster.ask_across("replica").ok
            says(cluster, "replica", "role slave, master_link_status up")
            visitor.log_in()
            assert all(visitor.knows_me(times=3))
            cluster.kill("store")
            says(cluster, "replica", "role master")
            # Until then the sentinel still names the old store, and whoever starts it has a second one.
            says(cluster, "sentinel", "status=ok")
            assert until(lambda: all(visitor.knows_me(times=3)))
            # It has no replica now, and so refuses to write.
            with Visitor(cluster, "user-0002") as newcomer:
                body = {"user": newcomer.user, "password": spec.password}
                assert newcomer.ask("POST", "/login", body).status_code >= 500
                cluster.start("store")
                says(cluster, "store", "role slave, master_link_status up")
                assert until(lambda: newcomer.ask("POST", "/login", body).status_code == 200)
            assert all(visitor.knows_me(times=3))
