"""The contract of an engine, as tests: every engine inherits them and says only how it is made, and how it fails.

Nothing here knows of processes or pids, so that an engine of containers can pass it as it is.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from compose.architectures import ARCHITECTURES
from compose.balancers.access_log import NO_FLAGS, AccessLine
from compose.cluster import Limits
from compose.engines import cluster_file
from compose.engines.contract import Cluster
from compose.probes import Unanswered
from compose.supervision.ledger import Ledger
from compose.supervision.ports import free_ports, port_of
from shared.errors import NotReadyInTime, PortTaken, UsageError
from shared.request_log import LoggedRequest, read_request_log
from tests.compose.contract_balancing import BalancingContract
from tests.compose.contract_breaking import BreakingContract
from tests.compose.contract_changing import ChangingContract
from tests.compose.contract_store import StoreContract
from tests.compose.engine_tests import Visitor, access_lines, new_spec, running, watch
from tests.waiting import ask, until

__all__ = ["EngineContract", "Visitor", "new_spec", "running", "watch"]


class EngineContract(BreakingContract, BalancingContract, ChangingContract, StoreContract):
    """What every engine promises."""

    # looking

    def test_a_started_cluster_is_ready(self, cluster: Cluster) -> None:
        assert [node.name for node in cluster.nodes()] == ["n1", "n2", "n3"]
        for node in cluster.nodes():
            seen = cluster.observe(node.name)
            assert (seen.process, seen.answers, seen.in_rotation) == (True, True, True), seen
            assert seen.boot
            assert len(seen.evidence) >= 3

    def test_every_answer_carries_the_runs_id(self, cluster: Cluster) -> None:
        for url in (cluster.url, *(node.url for node in cluster.nodes())):
            assert ask(f"{url}/healthz").headers["x-run"] == cluster.spec.run
        assert ask(f"{cluster.url}/-/anything").headers["x-run"] == cluster.spec.run

    def test_every_part_is_seen_and_has_an_address(self, cluster: Cluster, store_cluster: Cluster) -> None:
        assert cluster.parts() == ("n1", "n2", "n3", "balancer")
        assert store_cluster.parts() == ("n1", "n2", "n3", "balancer", "store", "wires")
        assert cluster.address("balancer") == cluster.url
        assert [cluster.address(node.name) for node in cluster.nodes()] == [node.url for node in cluster.nodes()]
        assert store_cluster.address("store").startswith("redis://127.0.0.1:")
        for one in (cluster, store_cluster):
            seen = [one.observe(part) for part in one.parts()]
            assert [look.part for look in seen] == list(one.parts())
            assert all(look.process and look.answers and look.in_rotation for look in seen), seen
            assert len({look.boot for look in seen} - {None}) == len(seen)

    def test_a_probe_asks_a_node_for_a_page_past_balancer_and_request_log(self, cluster: Cluster) -> None:
        reply = cluster.probe("n2")
        assert (reply.ok, reply.status) == (True, 200)
        assert reply.words == f"GET /products: 200 after {reply.took_ms:.0f} ms"
        assert b"probe-" not in cluster.logs()["n2.requests"].read_bytes()
        with Visitor(cluster) as visitor:
            visitor.ask("GET", "/products", **{"X-Request-Id": "after-the-probe"})

        def balanced() -> list[str]:
            """Whose requests for that page the balancer has written down; it writes late, and in order."""
            return [line.id or "" for line in access_lines(cluster.logs()["access"]) if line.path == "/products"]

        assert until(lambda: "after-the-probe" in balanced())
        assert [request for request in balanced() if request.startswith("probe-")] == []

    def test_an_observation_takes_less_than_a_second(self, cluster: Cluster) -> None:
        def quick() -> bool:
            began = time.monotonic()
            seen = cluster.observe("n1")
            ended = time.monotonic()
            assert began <= seen.at <= ended
            return ended - began < 1.0

        assert until(quick), "not once, on a machine that is as busy as it likes"

    def test_a_session_is_held_where_it_was_opened(self, cluster: Cluster) -> None:
        with Visitor(cluster, "user-0002") as visitor:
            node = visitor.log_in().headers["X-Node"]
            holders = {
                name for name in ("n1", "n2", "n3") for held in cluster.held(name) or [] if held.user == "user-0002"
            }
            assert holders == {node}
            assert visitor.ask("POST", "/logout", {}).status_code == 200
            assert "user-0002" not in {held.user for held in cluster.held(node) or []}

    def test_a_cookie_leads_back_to_the_same_node(self, cluster: Cluster) -> None:
        with Visitor(cluster, "user-0003") as visitor:
            visitor.log_in()
            nodes = {visitor.ask("GET", "/me").headers["X-Node"] for _ in range(9)}
            assert len(nodes) == 1
            cookies = {cookie.name: cookie for cookie in visitor.web.cookies}
        assert all(cluster.spec.run in name for name in cookies)
        assert all(cookie.has_nonstandard_attr("HttpOnly") for cookie in cookies.values())

    def test_what_nodes_say_of_themselves_is_not_for_shoppers(self, cluster: Cluster) -> None:
        # A node's first answer to a page that it never served before takes longer in a container.
        assert ask(f"{cluster.url}/-/sessions").status == 404
        assert ask(f"{cluster.nodes()[0].url}/-/sessions").status == 404

    def test_the_logs_agree_by_request_id(self, cluster: Cluster) -> None:
        with Visitor(cluster) as visitor:
            answer = visitor.ask("GET", "/products", **{"X-Request-Id": "contract.1-a_B"})
        assert answer.headers["X-Request-Id"] == "contract.1-a_B"
        node = answer.headers["X-Node"]
        logs = cluster.logs()

        def balancer_line() -> AccessLine | None:
            return next((line for line in access_lines(logs["access"]) if line.id == "contract.1-a_B"), None)

        assert until(lambda: balancer_line() is not None)
        seen = balancer_line()
        assert seen is not None
        assert (seen.method, seen.path, seen.status) == ("GET", "/products", 200)
        assert seen.flags in NO_FLAGS
        assert (seen.node, seen.answered_by) == (node, node)
        assert abs(seen.at_us / 1e6 - time.time()) < 30
        assert 0 < (seen.took_us or 0) < 5_000_000
        by_node = [line for line in read_request_log(logs[f"{node}.requests"]) if isinstance(line, LoggedRequest)]
        assert "contract.1-a_B" in {line.id for line in by_node}

    def test_the_logs_are_there_and_hold_no_secret(self, cluster: Cluster) -> None:
        logs = cluster.logs()
        assert {"balancer", "access", "n1", "n1.requests", "n3", "n3.requests"} <= set(logs)
        with Visitor(cluster) as visitor:
            visitor.log_in()
            values = [cookie.value for cookie in visitor.web.cookies if cookie.value]
        secret = [cluster.spec.password.encode(), *(value.encode() for value in values)]
        for path in logs.values():
            assert path.is_file()
            content = path.read_bytes()
            assert not [word for word in secret if len(word) > 8 and word in content]

    def test_orders_are_read_from_the_database(self, cluster: Cluster) -> None:
        with Visitor(cluster, "user-0004") as visitor:
            visitor.log_in()
            sku = visitor.ask("GET", "/products").json()["products"][0]["sku"]
            assert visitor.ask("POST", "/cart", {"sku": sku, "quantity": 2}).status_code == 200
            answer = visitor.ask("POST", "/checkout", {}, **{"Idempotency-Key": "k1", "X-Request-Id": "checkout-1"})
            assert answer.status_code == 201, answer.text
        (order,) = [order for order in cluster.orders() if order.user == "user-0004"]
        assert order.order == answer.json()["order"]
        assert (order.key, order.request, order.lines) == ("k1", "checkout-1", {sku: 2})

    def test_another_process_attaches(self, cluster: Cluster, home: Path) -> None:
        script = (
            "import sys, msgspec; from pathlib import Path\n"
            "from compose.engines.registry import engine_named; from compose.supervision.ledger import Ledger\n"
            "ledger = Ledger(Path(sys.argv[2]), sys.argv[3])\n"
            "cluster = engine_named(sys.argv[4]).attach(Path(sys.argv[1]), ledger)\n"
            "seen = [cluster.observe(node.name) for node in cluster.nodes()]\n"
            "print(msgspec.json.encode([cluster.url, [(s.part, s.process, s.boot) for s in seen]]).decode())"
        )
        ledger = home / "state" / "ledger" / f"{cluster.spec.run}.ndjson"
        words = [str(cluster.folder), str(ledger), cluster.spec.run, self.make_engine().name]
        done = subprocess.run(
            [sys.executable, "-c", script, *words], capture_output=True, text=True, check=False, timeout=30
        )
        assert done.returncode == 0, done.stderr
        url, seen = json.loads(done.stdout)
        assert url == cluster.url
        assert seen == [[node.name, True, cluster.observe(node.name).boot] for node in cluster.nodes()]

    def test_there_is_nothing_to_attach_to_elsewhere(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="no cluster runs"):
            self.make_engine().attach(tmp_path, Ledger(tmp_path / "none", "x"))

    def test_an_unknown_part_is_named_in_the_error(self, cluster: Cluster) -> None:
        strikes = (cluster.kill, cluster.terminate, cluster.freeze, cluster.thaw, cluster.start)
        for do in (*strikes, cluster.observe, cluster.address, cluster.held, cluster.probe, cluster.state):
            with pytest.raises(UsageError, match="n9"):
                do("n9")

    # starting and stopping

    @pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
    def test_every_architecture_remembers_as_it_should(self, architecture: str, tmp_path: Path) -> None:
        with (
            running(self.make_engine(), new_spec(architecture, nodes=2), tmp_path) as cluster,
            Visitor(cluster) as visitor,
        ):
            visitor.log_in()
            knows = visitor.knows_me(times=6)
            nodes = {visitor.ask("GET", "/products").headers["X-Node"] for _ in range(18)}
        if architecture == "roundrobin-memory":
            assert not all(knows)
        else:
            assert all(knows)
        sticky = ARCHITECTURES[architecture].affinity in ("cookie", "hash", "address")
        assert (len(nodes) == 1) if sticky else (len(nodes) > 1)

    def test_a_stopped_cluster_leaves_its_logs_and_nothing_else(self, tmp_path: Path) -> None:
        with running(self.make_small_engine(), new_spec(nodes=1), tmp_path) as cluster:
            addresses = [cluster.url, cluster.admin_url, *(node.url for node in cluster.nodes())]
            logs = cluster.logs()
        for address in addresses:
            with pytest.raises(Unanswered, match="refused"):
                ask(f"{address}/healthz")
        assert {path.name for path in (tmp_path / "cluster").iterdir()} == {path.name for path in logs.values()}
        assert list((tmp_path / "state" / "ledger").iterdir()) == []

    def test_as_many_nodes_as_asked_for_on_the_port_asked_for(self, tmp_path: Path) -> None:
        with running(self.make_small_engine(), new_spec(nodes=1), tmp_path) as first:
            assert [node.name for node in first.nodes()] == ["n1"]
            port = int(first.url.rpartition(":")[2])
            with (
                pytest.raises(PortTaken, match=str(port)) as raised,
                running(self.make_small_engine(), new_spec(nodes=1, port=port), tmp_path / "second"),
            ):
                pass
            assert raised.value.next_step
        with running(self.make_small_engine(), new_spec(nodes=1, port=port), tmp_path / "third") as third:
            assert third.url == first.url

    def test_a_port_taken_since_it_was_chosen_means_other_ports(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        engine = self.make_small_engine()
        chosen: list[list[int]] = []

        with socket.create_server(("127.0.0.1", 0)) as somebody:
            taken = somebody.getsockname()[1]

            def last_one_taken(count: int) -> list[int]:
                ports = free_ports(count)
                chosen.append(ports if chosen else [*ports[:-1], taken])
                return chosen[-1]

            monkeypatch.setattr(cluster_file, "free_ports", last_one_taken)
            with running(engine, new_spec(nodes=1), tmp_path) as cluster:
                assert {port_of(node.url) for node in cluster.nodes()} <= set(chosen[1])
        assert len(chosen) == 2
        assert len(set(chosen[1])) == len(chosen[1])

    def test_a_failed_start_shows_the_end_of_the_guilty_log(self, tmp_path: Path) -> None:
        with (
            pytest.raises(NotReadyInTime) as raised,
            running(self.make_failing_engine(), new_spec(nodes=1), tmp_path),
        ):
            pass
        error = raised.value
        assert error.log is not None
        assert error.log.is_file()
        assert "no shop today" in error.tail
        assert len(error.tail.splitlines()) <= 32
        assert not (tmp_path / "cluster" / "work").exists()

    def test_a_start_has_a_bound(self, tmp_path: Path) -> None:
        limits = Limits(cluster_ready_s=0.05, node_ready_s=0.05)
        began = time.monotonic()
        with (
            pytest.raises(NotReadyInTime, match="did not become ready"),
            running(self.make_engine(), new_spec(nodes=1, limits=limits), tmp_path),
        ):
            pass
        assert time.monotonic() - began < 20.0, "30 s are the bound of a start that nobody bounded"
