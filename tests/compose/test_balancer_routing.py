"""What Envoy does under our configuration, with nodes of a few lines: the facts that the measurements rest on."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest
import requests

from compose.access_log import AccessLine, read_access_log
from compose.cluster import Cluster, Limits
from compose.cluster_file import ClusterFile
from compose.engines.process_cluster import ProcessCluster
from compose.engines.processes import ProcessesEngine
from compose.http_probe import ask
from compose.observing import all_in_rotation
from compose.ports import port_of
from tests.compose.contract import new_spec, running, watch
from tests.waiting import until

pytestmark = pytest.mark.cluster

NODE = """
import json, os, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path == "/slow":
            time.sleep(2)
        if self.path == "/close":
            self.close_connection = True
            return self.connection.close()
        body = json.dumps({"boot": "b", "headers": dict(self.headers)}).encode()
        self.send_response(200)
        self.send_header("X-Node", os.environ["TWINSHOP_NODE"])
        self.send_header("X-Run", os.environ["TWINSHOP_RUN"])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        print(self.path, flush=True) if self.path != "/healthz" else None
    do_POST = do_GET
    def log_message(self, *args):
        pass

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def small_node(cluster: ClusterFile, node: str) -> list[str]:
    return [sys.executable, "-c", NODE, str(port_of(cluster.node_urls[node]))]


ENGINE = ProcessesEngine(small_node)


def access(cluster: Cluster, request: str) -> AccessLine:
    def found() -> list[AccessLine]:
        return [line for line in read_access_log(cluster.logs()["access"]) if line.id == request]

    assert until(lambda: bool(found()))
    (line,) = found()
    return line


def test_round_robin_is_exact(tmp_path: Path) -> None:
    with running(ENGINE, new_spec("signed-token"), tmp_path) as cluster:
        served = Counter(ask(f"{cluster.url}/x").headers["x-node"] for _ in range(30))
        assert served == {"n1": 10, "n2": 10, "n3": 10}
        assert "set-cookie" not in ask(f"{cluster.url}/x").headers


def test_a_shopper_whose_node_dies_gets_errors_then_another_node_and_its_cookie(tmp_path: Path) -> None:
    spec = new_spec(limits=Limits(unhealthy_after=4))  # some time in which the balancer does not know yet
    with running(ENGINE, spec, tmp_path) as cluster, requests.Session() as web:
        web.trust_env = False
        home = web.get(f"{cluster.url}/x", timeout=5)
        node = home.headers["X-Node"]
        assert "HttpOnly" in home.headers["Set-Cookie"]
        assert "SameSite=Lax" in home.headers["Set-Cookie"]
        cluster.kill(node)
        watch(cluster, node, lambda seen: not seen.answers)
        failed = web.get(f"{cluster.url}/x", headers={"X-Request-Id": "too-early"}, timeout=5)
        assert failed.status_code == 503
        assert failed.headers["X-Run"] == cluster.spec.run
        assert failed.headers["X-Request-Id"] == "too-early"
        assert "X-Node" not in failed.headers
        line = access(cluster, "too-early")
        assert (line.flags, line.node, line.answered_by, line.status) == ("UF", node, "", 503)
        watch(cluster, node, lambda seen: not seen.in_rotation)
        moved = web.get(f"{cluster.url}/x", timeout=5)
        assert moved.status_code == 200
        other = moved.headers["X-Node"]
        assert other != node
        assert "Set-Cookie" in moved.headers
        cluster.start(node)
        watch(cluster, node, lambda seen: seen.in_rotation)
        assert {web.get(f"{cluster.url}/x", timeout=5).headers["X-Node"] for _ in range(6)} == {other}


def test_what_the_admin_calls_out_of_rotation_gets_no_request(tmp_path: Path) -> None:
    """Of its own accord Envoy's routing lags up to 1 s behind its admin API."""
    with running(ENGINE, new_spec("signed-token"), tmp_path) as cluster:
        cluster.kill("n1")
        watch(cluster, "n1", lambda seen: not seen.in_rotation)
        assert [ask(f"{cluster.url}/x").status for _ in range(12)] == [200] * 12


def test_with_every_node_dead_nobody_is_sent_to_a_dead_one(tmp_path: Path) -> None:
    with running(ENGINE, new_spec("signed-token", nodes=2), tmp_path) as cluster:
        for node in ("n1", "n2"):
            cluster.kill(node)
        for node in ("n1", "n2"):
            watch(cluster, node, lambda seen: not seen.in_rotation)
        assert ask(f"{cluster.url}/x", headers={"X-Request-Id": "nobody"}).status == 503
        line = access(cluster, "nobody")
        assert (line.flags, line.node) == ("UH", "")


def test_nothing_is_sent_twice(tmp_path: Path) -> None:
    with running(ENGINE, new_spec("signed-token"), tmp_path) as cluster:
        answer = ask(f"{cluster.url}/close", headers={"X-Request-Id": "closed"})
        assert answer.status == 503
        line = access(cluster, "closed")
        assert (line.flags, line.node != "") == ("UC", True)
        assert sum(ask(f"{cluster.url}/x").status == 200 for _ in range(3)) == 3


def test_a_slow_answer_is_given_up_in_time(tmp_path: Path) -> None:
    spec = new_spec("signed-token", limits=Limits(balancer_route_timeout_s=0.2))
    with running(ENGINE, spec, tmp_path) as cluster:
        assert ask(f"{cluster.url}/slow", headers={"X-Request-Id": "slow"}, within_s=3).status == 504
        line = access(cluster, "slow")
        assert line.flags == "UT"
        assert 150_000 < line.took_us < 1_500_000


def test_the_balancer_adds_nothing_to_a_request_but_the_id(tmp_path: Path) -> None:
    with running(ENGINE, new_spec("signed-token"), tmp_path) as cluster:
        seen = requests.get(
            f"{cluster.url}/x?q=1", headers={"X-Request-Id": "mine_1.a-B"}, timeout=5, proxies={"http": ""}
        ).json()["headers"]
        names = {name.lower(): value for name, value in seen.items()}
        assert names["x-request-id"] == "mine_1.a-B"
        assert not [name for name in names if name.startswith("x-envoy")]
        assert "x-forwarded-for" not in names
        assert access(cluster, "mine_1.a-B").path == "/x?q=1"


def test_membership_follows_the_file(tmp_path: Path) -> None:
    with running(ENGINE, new_spec("signed-token"), tmp_path) as cluster:
        assert isinstance(cluster, ProcessCluster)
        cluster.route_to(["n1", "n3"])
        assert until(lambda: all_in_rotation(cluster.admin_url, 2))
        assert {ask(f"{cluster.url}/x").headers["x-node"] for _ in range(8)} == {"n1", "n3"}
        assert cluster.observe("n2").evidence[-1] == "envoy: not a member"
        cluster.route_to(["n1", "n2", "n3"])
        watch(cluster, "n2", lambda seen: seen.in_rotation)
        assert {ask(f"{cluster.url}/x").headers["x-node"] for _ in range(9)} == {"n1", "n2", "n3"}
