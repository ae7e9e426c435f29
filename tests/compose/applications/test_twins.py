from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from compose.applications.contract import ApplicationCapabilities, NodeSetup
from compose.applications.twins import Twins
from compose.architectures import ARCHITECTURES
from compose.cluster import ClusterSpec
from compose.supervision.ports import Listen, free_ports
from shared.sessions import Injection
from tests.shared.shops import node


def test_every_architecture_is_of_a_twin() -> None:
    assert {architecture.app for architecture in ARCHITECTURES.values()} == {"stateful_app", "stateless_app"}


@pytest.mark.parametrize(
    ("can", "grade"),
    [
        (Twins.can, "A"),
        (ApplicationCapabilities(names_itself=True), "B"),
        (ApplicationCapabilities(), "B"),
        (ApplicationCapabilities(behind_our_balancer=False, names_itself=True, logs_requests=True), "C"),
    ],
)
def test_what_can_be_seen_of_it_is_its_grade(can: ApplicationCapabilities, grade: str) -> None:
    assert can.grade == grade


@pytest.mark.parametrize(("name", "app"), [("sticky-memory", "stateful_app"), ("redis", "stateless_app")])
def test_a_node_is_the_same_program_in_a_process_and_in_a_container(name: str, app: str) -> None:
    spec, listen = ClusterSpec("0123abcd", ARCHITECTURES[name]), Listen("127.0.0.1", 8101)
    setup = NodeSetup("n1", listen, "", "", "", "")
    python, *words = Twins().command(spec, setup)
    assert (python, Twins().command(spec, setup, "python")) == (sys.executable, ["python", *words])
    assert words == ["-P", "-m", "shared.node", app, "--host", "127.0.0.1", "--port", "8101"]


def test_a_node_that_does_not_answer_says_nothing_and_is_told_nothing() -> None:
    twins, url = Twins(), f"http://127.0.0.1:{free_ports(1)[0]}"
    report = twins.health(url, "0123abcd")
    assert (report.answers, report.boot, report.foreign) == (False, None, False)
    assert report.words.endswith("refused")
    assert twins.state(url, "token", {"own": "a key"}) is None
    assert twins.held(url, "token") is None
    assert not twins.probe(url).ok
    twins.trouble(url, "token", Injection(delay_ms=1))


def test_an_answer_of_another_run_is_known() -> None:
    assert Twins().served({"x-run": "0123abcd"}, "0123abcd") == ""
    assert "is missing" in Twins().served({}, "0123abcd")
    assert "ffff0000" in Twins().served({"x-run": "ffff0000"}, "0123abcd")


def test_people_reach_every_page_of_the_shop_and_none_for_those_who_watch_it(tmp_path: Path) -> None:
    http, rules = Twins.http, node(tmp_path, "memory").app.url_map.iter_rules()
    for rule in rules:
        path = rule.rule.replace("<sku>", "acorn").replace("<path:filename>", "shop.css").replace("<name>", "1a2b")
        public = path in http.streams or any(re.fullmatch(pattern, path) for pattern in http.public)
        assert public is not rule.endpoint.startswith("watch."), path
