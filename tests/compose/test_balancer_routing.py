"""What Envoy does under our configuration, with nodes of a few lines: the facts that the measurements rest on."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from requests.adapters import HTTPAdapter

from compose.balancers.access_log import AccessLine
from compose.balancers.contract import ring_cookie
from compose.cluster import Balancing, Limits
from compose.engines.contract import Cluster
from compose.engines.processes import ProcessCluster
from tests.compose.engine_tests import SMALL_SHOPS, access_lines, new_spec, running, watch
from tests.waiting import ask, until

pytestmark = pytest.mark.cluster


def access(cluster: Cluster, request: str) -> AccessLine:
    def found() -> list[AccessLine]:
        return [line for line in access_lines(cluster.logs()["access"]) if line.id == request]

    assert until(lambda: bool(found()))
    (line,) = found()
    return line


def test_round_robin_is_exact(tmp_path: Path) -> None:
    with running(SMALL_SHOPS, new_spec("signed-token"), tmp_path) as cluster:
        served = Counter(ask(f"{cluster.url}/x").headers["x-node"] for _ in range(30))
        assert served == {"n1": 10, "n2": 10, "n3": 10}
        assert "set-cookie" not in ask(f"{cluster.url}/x").headers


def test_a_shopper_whose_node_dies_gets_errors_then_another_node_and_its_cookie(tmp_path: Path) -> None:
    spec = new_spec(limits=Limits(unhealthy_after=4))  # some time in which the balancer does not know yet
    with running(SMALL_SHOPS, spec, tmp_path) as cluster, requests.Session() as web:
        web.trust_env = False
        home = web.get(f"{cluster.url}/x", timeout=20)
        node = home.headers["X-Node"]
        assert "HttpOnly" in home.headers["Set-Cookie"]
        assert "SameSite=Lax" in home.headers["Set-Cookie"]
        cluster.kill(node)
        watch(cluster, node, lambda seen: not seen.answers)
        failed = web.get(f"{cluster.url}/x", headers={"X-Request-Id": "too-early"}, timeout=20)
        assert failed.status_code == 503
        assert failed.headers["X-Run"] == cluster.spec.run
        assert failed.headers["X-Request-Id"] == "too-early"
        assert "X-Node" not in failed.headers
        line = access(cluster, "too-early")
        assert (line.flags, line.node, line.answered_by, line.status) == ("UF", node, None, 503)
        watch(cluster, node, lambda seen: not seen.in_rotation)
        moved = web.get(f"{cluster.url}/x", timeout=20)
        assert moved.status_code == 200
        other = moved.headers["X-Node"]
        assert other != node
        assert "Set-Cookie" in moved.headers
        cluster.start(node)
        watch(cluster, node, lambda seen: seen.in_rotation)
        assert {web.get(f"{cluster.url}/x", timeout=20).headers["X-Node"] for _ in range(6)} == {other}


def test_what_the_admin_calls_out_of_rotation_gets_no_request(tmp_path: Path) -> None:
    """Of its own accord Envoy's routing lags up to 1 s behind its admin API."""
    with running(SMALL_SHOPS, new_spec("signed-token"), tmp_path) as cluster:
        cluster.kill("n1")
        watch(cluster, "n1", lambda seen: not seen.in_rotation)
        assert [ask(f"{cluster.url}/x").status for _ in range(12)] == [200] * 12


def test_with_every_node_dead_nobody_is_sent_to_a_dead_one(tmp_path: Path) -> None:
    with running(SMALL_SHOPS, new_spec("signed-token", nodes=2), tmp_path) as cluster:
        for node in ("n1", "n2"):
            cluster.kill(node)
        for node in ("n1", "n2"):
            watch(cluster, node, lambda seen: not seen.in_rotation)
        assert ask(f"{cluster.url}/x", headers={"X-Request-Id": "nobody"}).status == 503
        line = access(cluster, "nobody")
        assert (line.flags, line.node) == ("UH", None)


def test_nothing_is_sent_twice(tmp_path: Path) -> None:
    with running(SMALL_SHOPS, new_spec("signed-token"), tmp_path) as cluster:
        answer = ask(f"{cluster.url}/close", headers={"X-Request-Id": "closed"})
        assert answer.status == 503
        line = access(cluster, "closed")
        assert (line.flags, line.node is not None) == ("UC", True)
        assert sum(ask(f"{cluster.url}/x").status == 200 for _ in range(3)) == 3


def test_a_slow_answer_is_given_up_in_time(tmp_path: Path) -> None:
    spec = new_spec("signed-token", limits=Limits(balancer_route_timeout_s=0.2))
    with running(SMALL_SHOPS, spec, tmp_path) as cluster:
        assert ask(f"{cluster.url}/slow", headers={"X-Request-Id": "slow"}).status == 504
        line = access(cluster, "slow")
        assert line.flags == "UT"
        assert 150_000 < line.took_us < 20_000_000


def test_the_balancer_adds_nothing_to_a_request_but_the_id(tmp_path: Path) -> None:
    with running(SMALL_SHOPS, new_spec("signed-token"), tmp_path) as cluster:
        seen = requests.get(
            f"{cluster.url}/x?q=1", headers={"X-Request-Id": "mine_1.a-B"}, timeout=20, proxies={"http": ""}
        ).json()["headers"]
        names = {name.lower(): value for name, value in seen.items()}
        assert names["x-request-id"] == "mine_1.a-B"
        assert not [name for name in names if name.startswith("x-envoy")]
        assert "x-forwarded-for" not in names
        assert access(cluster, "mine_1.a-B").path == "/x?q=1"


def test_membership_follows_the_file(tmp_path: Path) -> None:
    with running(SMALL_SHOPS, new_spec("signed-token"), tmp_path) as cluster:
        assert isinstance(cluster, ProcessCluster)
        cluster.rewrite(outside=("n2",))
        cluster.route()
        watch(cluster, "n2", lambda seen: not seen.in_rotation)
        assert {ask(f"{cluster.url}/x").headers["x-node"] for _ in range(8)} == {"n1", "n3"}
        assert cluster.observe("n2").evidence[-1] == "envoy: not a member"
        cluster.rewrite(outside=())
        cluster.route()
        watch(cluster, "n2", lambda seen: seen.in_rotation)
        assert {ask(f"{cluster.url}/x").headers["x-node"] for _ in range(9)} == {"n1", "n2", "n3"}


def counted(cluster: Cluster, name: str) -> int:
    """A number that the balancer counts."""
    said = ask(f"{cluster.admin_url}/stats?filter=^{name}$").body.decode()
    return int(said.rpartition(" ")[2])


def served(cluster: Cluster, times: int, **headers: str) -> Counter[str]:
    return Counter(ask(f"{cluster.url}/x", headers=headers).headers["x-node"] for _ in range(times))


def test_weights_are_exact(tmp_path: Path) -> None:
    with running(SMALL_SHOPS, new_spec("redis-weighted"), tmp_path) as cluster:
        assert served(cluster, 40) == {"n1": 20, "n2": 10, "n3": 10}


def test_the_less_busy_of_two_is_picked(tmp_path: Path) -> None:
    """One of two nodes is busy with a slow answer: it is picked only when both draws fall on it, a quarter of times."""
    with (
        running(SMALL_SHOPS, new_spec("redis-least-request", nodes=2), tmp_path) as cluster,
        ThreadPoolExecutor() as pool,
    ):
        slow = pool.submit(ask, f"{cluster.url}/slow")
        assert until(lambda: counted(cluster, "cluster.nodes.upstream_rq_active") == 1)
        others = served(cluster, 100)
        assert not slow.done()
        for each in cluster.nodes():
            ask(f"{each.url}/go")
        assert others[slow.result(20).headers["x-node"]] < 45


def test_a_ring_leads_by_cookie_or_address(tmp_path: Path) -> None:
    with running(SMALL_SHOPS, new_spec("sticky-hash"), tmp_path / "hash") as cluster:
        homes = []
        for _ in range(24):
            with requests.Session() as web:
                web.trust_env = False
                first = web.get(f"{cluster.url}/x", timeout=20)
                homes.append(first.headers["X-Node"])
                assert ring_cookie(cluster.spec) in first.headers["Set-Cookie"]
                assert "HttpOnly" in first.headers["Set-Cookie"]
                assert "Max-Age" not in first.headers["Set-Cookie"]
                answers = [web.get(f"{cluster.url}/x", timeout=20) for _ in range(3)]
                assert {answer.headers["X-Node"] for answer in answers} == {homes[-1]}
                assert not [answer for answer in answers if "Set-Cookie" in answer.headers]
        assert set(homes) == {"n1", "n2", "n3"}
    with running(SMALL_SHOPS, new_spec("sticky-address"), tmp_path / "address") as cluster:
        by_address = [served(cluster, 3, **{"X-Forwarded-For": f"203.0.113.{last}"}) for last in range(24)]
        assert all(len(nodes) == 1 for nodes in by_address)
        assert {node for nodes in by_address for node in nodes} == {"n1", "n2", "n3"}
        assert len(served(cluster, 6)) == 1  # all of this machine's come from one address


def test_on_a_ring_a_retry_goes_to_another_node(tmp_path: Path) -> None:
    spec = new_spec("sticky-address", limits=Limits(balancer_retries=1, unhealthy_after=40))
    with running(SMALL_SHOPS, spec, tmp_path) as cluster:
        (home,) = served(cluster, 3)
        cluster.kill(home)
        watch(cluster, home, lambda seen: not seen.answers)
        assert home not in served(cluster, 6)


@pytest.mark.parametrize("architecture", ["sticky-memory", "sticky-hash", "sticky-address"])
def test_affinity_is_taken_away_and_given_back_without_dropping_a_connection(architecture: str, tmp_path: Path) -> None:
    with running(SMALL_SHOPS, new_spec(architecture), tmp_path) as cluster, requests.Session() as web:
        web.trust_env = False
        web.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=1, pool_block=True))

        def nodes(times: int) -> set[str]:
            return {web.get(f"{cluster.url}/x", timeout=20).headers["X-Node"] for _ in range(times)}

        (home,) = nodes(6)
        cluster.balance(Balancing(affinity=False))
        assert until(lambda: cluster.balancing() == Balancing(affinity=False))
        assert nodes(30) == {"n1", "n2", "n3"}
        cluster.balance(Balancing())
        assert until(lambda: cluster.balancing() == Balancing())
        assert nodes(6) == {home}
        # One by the harness, to see that the cluster was ready, and one by us.
        assert counted(cluster, "http.shoppers.downstream_cx_total") == 2


def test_retries_are_changed_while_it_runs(tmp_path: Path) -> None:
    with running(SMALL_SHOPS, new_spec("signed-token"), tmp_path) as cluster:
        assert cluster.balancing() == Balancing()
        cluster.balance(Balancing(retries=1))
        assert until(lambda: cluster.balancing() == Balancing(retries=1))
        # The node closes without a word, and so does the one that is tried next.
        assert ask(f"{cluster.url}/close", headers={"X-Request-Id": "closed"}).status == 503
        assert counted(cluster, "cluster.nodes.upstream_rq_retry") == 1
