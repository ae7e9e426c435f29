"""The contract of an engine: who is served by whom can be changed while the cluster runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from compose.cluster import Balancing
from compose.engines.contract import Cluster
from tests.compose.engine_tests import EngineTests, Visitor, watch
from tests.waiting import until


@contextmanager
def visitors(cluster: Cluster) -> Iterator[dict[str, Visitor]]:
    """Somebody logged in at each node, by its name."""
    with ExitStack() as stack:
        found: dict[str, Visitor] = {}
        for number in range(1, 7):
            visitor = stack.enter_context(Visitor(cluster, f"user-{number:04d}"))
            stack.callback(visitor.ask, "POST", "/logout", {})
            found.setdefault(visitor.log_in().headers["X-Node"], visitor)
        yield found


def strangers_go_to(cluster: Cluster, times: int = 12) -> set[str]:
    """The nodes that people without a cookie are sent to."""
    nodes = set()
    for _ in range(times):
        with Visitor(cluster) as stranger:
            nodes.add(stranger.ask("GET", "/products").headers["X-Node"])
    return nodes


class BalancingContract(EngineTests):
    """Drain, add, remove, and ways to route."""

    def test_a_drained_node_serves_whom_it_knows_and_no_strangers(self, cluster: Cluster) -> None:
        with visitors(cluster) as known:
            for _ in range(2):
                cluster.drain("n2")
            seen = watch(cluster, "n2", lambda seen: not seen.in_rotation)
            assert seen.answers
            assert any("draining" in line for line in seen.evidence)
            assert strangers_go_to(cluster) == {"n1", "n3"}
            for node, visitor in known.items():
                answers = [visitor.ask("GET", "/me") for _ in range(4)]
                assert {(answer.status_code, answer.headers["X-Node"]) for answer in answers} == {(200, node)}
            for _ in range(2):
                cluster.undrain("n2")
            watch(cluster, "n2", lambda seen: seen.in_rotation)
            assert strangers_go_to(cluster) == {"n1", "n2", "n3"}

    def test_affinity_is_taken_away_and_given_back(self, cluster: Cluster) -> None:
        assert cluster.balancing() == Balancing()
        with Visitor(cluster) as visitor:
            home = visitor.log_in().headers["X-Node"]
            cluster.balance(Balancing(affinity=False))
            assert until(lambda: cluster.balancing() == Balancing(affinity=False))
            nodes = Counter(visitor.ask("GET", "/products").headers["X-Node"] for _ in range(9))
            assert nodes == {"n1": 3, "n2": 3, "n3": 3}
            cluster.balance(Balancing())
            assert until(lambda: cluster.balancing() == Balancing())
            assert visitor.knows_me(times=4) == [True] * 4
            assert visitor.ask("POST", "/logout", {}).headers["X-Node"] == home

    def test_retries_are_switched_on_and_off(self, cluster: Cluster) -> None:
        cluster.balance(Balancing(retries=2))
        assert until(lambda: cluster.balancing() == Balancing(retries=2))
        cluster.balance(Balancing())
        assert until(lambda: cluster.balancing() == Balancing())

    def test_nodes_are_added_and_removed(self, own_cluster: Cluster) -> None:
        cluster = own_cluster
        assert cluster.add_node() == "n4"
        assert [node.name for node in cluster.nodes()] == ["n1", "n2", "n3", "n4"]
        assert cluster.parts()[:4] == ("n1", "n2", "n3", "n4")
        watch(cluster, "n4", lambda seen: seen.answers and seen.in_rotation)
        assert strangers_go_to(cluster) == {"n1", "n2", "n3", "n4"}
        assert cluster.probe("n4").ok
        assert {"n4", "n4.requests"} <= set(cluster.logs())
        with visitors(cluster) as known:
            for _ in range(2):
                cluster.remove_node("n2")
            gone = watch(cluster, "n2", lambda seen: not seen.process and not seen.answers)
            assert not gone.in_rotation
            assert any("not a member" in line for line in gone.evidence)
            assert [node.name for node in cluster.nodes()] == ["n1", "n2", "n3", "n4"]
            assert strangers_go_to(cluster) == {"n1", "n3", "n4"}
            for node, visitor in known.items():
                assert visitor.ask("GET", "/me").status_code == (401 if node == "n2" else 200)
        cluster.start("n2")
        watch(cluster, "n2", lambda seen: seen.answers and seen.in_rotation)
