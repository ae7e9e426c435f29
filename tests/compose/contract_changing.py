"""The contract of an engine: how nodes behave can be changed, at once or from their next start on."""

from __future__ import annotations

from pathlib import Path

from compose.cluster import NodeChanges
from compose.engines.contract import Cluster
from shared.sessions import Injection
from tests.compose.engine_tests import EngineTests, Visitor, new_spec, running, watch


class ChangingContract(EngineTests):
    """Trouble and changes."""

    def test_a_troubled_node_is_slow_or_answers_errors_and_is_healthy_all_the_same(self, cluster: Cluster) -> None:
        try:
            cluster.trouble("n2", Injection(delay_ms=300))
            slow = cluster.probe("n2")
            assert slow.ok
            assert slow.took_ms >= 300
            sick = Injection(errors="instead", clock_ahead_s=30)
            cluster.trouble("n2", sick)
            assert (cluster.probe("n2").ok, cluster.probe("n2").status) == (False, 500)
            told, other = cluster.state("n2"), cluster.state("n1")
            assert told is not None
            assert other is not None
            assert (told.trouble, other.trouble) == (sick, Injection())
            assert 20 < (told.clock_us - other.clock_us) / 1e6 < 40
            assert cluster.observe("n2").answers
            assert cluster.observe("n2").in_rotation
            assert cluster.probe("n1").ok
        finally:
            cluster.trouble("n2", Injection())
        assert cluster.probe("n2").ok

    def test_a_node_has_another_key_from_its_next_start_on(self, tmp_path: Path) -> None:
        with running(self.make_engine(), new_spec(nodes=2), tmp_path) as cluster:
            self.change_keys(cluster)

    def change_keys(self, cluster: Cluster) -> None:
        def keys(node: str) -> tuple[object, object] | None:
            state = cluster.state(node)
            return None if state is None else (state.key, state.fallback)

        def restart(node: str) -> None:
            cluster.kill(node)
            cluster.start(node)
            watch(cluster, node, lambda seen: seen.answers and seen.in_rotation)

        cluster.change("n2", NodeChanges(key="next", fallback="own"))
        assert keys("n2") == ("own", None)
        restart("n2")
        assert (keys("n1"), keys("n2")) == (("own", None), ("next", "own"))
        cluster.change("n2", NodeChanges())
        restart("n2")
        assert keys("n2") == ("own", None)
        cluster.kill("n2")
        watch(cluster, "n2", lambda seen: not seen.answers and not seen.in_rotation)
        cluster.trouble("n2", Injection(delay_ms=10))  # it does not answer: nothing happens
        with Visitor(cluster) as visitor:
            visitor.log_in()
