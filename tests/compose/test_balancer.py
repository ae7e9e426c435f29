from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from compose.architectures import ARCHITECTURES
from compose.balancer import Endpoint, Listen, affinity_cookie, configuration, endpoints
from compose.cluster import ClusterSpec, Limits
from compose.engines.process_parts import balancer_program


def configured(folder: Path, architecture: str = "sticky-memory", **limits: Any) -> bytes:
    spec = ClusterSpec("0123abcd", ARCHITECTURES[architecture], limits=Limits(**limits))
    return configuration(
        spec,
        listen=Listen("127.0.0.1", 20001),
        admin=Listen("127.0.0.1", 20002),
        members=folder / "endpoints.json",
        access_log=folder / "access.ndjson",
    )


def everywhere(document: Any, key: str) -> list[Any]:
    """All values of that key, at any depth."""
    found = []
    if isinstance(document, dict):
        found += [document[key]] if key in document else []
        found += [hit for value in document.values() for hit in everywhere(value, key)]
    elif isinstance(document, list):
        found += [hit for value in document for hit in everywhere(value, key)]
    return found


@pytest.mark.cluster
@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
@pytest.mark.parametrize("retries", [0, 2])
def test_envoy_takes_it(architecture: str, retries: int, tmp_path: Path) -> None:
    (tmp_path / "endpoints.json").write_bytes(endpoints([Endpoint("n1", Listen("127.0.0.1", 20003))]))
    (tmp_path / "envoy.json").write_bytes(configured(tmp_path, architecture, balancer_retries=retries))
    done = subprocess.run(
        [balancer_program(), "--mode", "validate", "-c", str(tmp_path / "envoy.json"), "--disable-hot-restart"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    assert "deprecated" not in done.stderr.lower()


def test_the_same_spec_gives_the_same_bytes(tmp_path: Path) -> None:
    assert configured(tmp_path) == configured(tmp_path)


def test_nothing_is_retried_unless_a_limit_says_so(tmp_path: Path) -> None:
    assert everywhere(msgspec.json.decode(configured(tmp_path)), "retry_policy") == []
    (policy,) = everywhere(msgspec.json.decode(configured(tmp_path, balancer_retries=2)), "retry_policy")
    assert policy["num_retries"] == 2


def test_only_cookie_affinity_sets_a_cookie(tmp_path: Path) -> None:
    with_cookie = {
        name for name in ARCHITECTURES if everywhere(msgspec.json.decode(configured(tmp_path, name)), "cookie")
    }
    assert with_cookie == {name for name, known in ARCHITECTURES.items() if known.affinity == "cookie"}
    (cookie,) = everywhere(msgspec.json.decode(configured(tmp_path)), "cookie")
    assert cookie["name"] == affinity_cookie(ClusterSpec("0123abcd", ARCHITECTURES["sticky-memory"]))
    assert "ttl" not in cookie


def test_the_limits_arrive(tmp_path: Path) -> None:
    limits = Limits(
        health_interval_s=0.25,
        health_timeout_s=0.125,
        unhealthy_after=5,
        balancer_connect_timeout_s=0.75,
        balancer_route_timeout_s=7.0,
        balancer_upstream_idle_s=9.0,
    )
    document = msgspec.json.decode(configured(tmp_path, **msgspec.structs.asdict(limits)))
    (check,) = document["static_resources"]["clusters"][0]["health_checks"]
    assert {check["interval"], check["no_traffic_interval"], check["no_traffic_healthy_interval"]} == {"0.250s"}
    assert check["unhealthy_threshold"] == 5
    assert everywhere(document, "timeout") == ["7.000s", "0.125s"]
    assert everywhere(document, "connect_timeout") == ["0.750s"]
    assert everywhere(document, "idle_timeout") == ["9.000s"]
    assert everywhere(document, "healthy_panic_threshold") == [{"value": 0}]


def test_the_balancer_lets_go_of_a_connection_before_the_node_does() -> None:
    from shared.node import KEEP_ALIVE_MS

    assert Limits().balancer_upstream_idle_s * 1000 < KEEP_ALIVE_MS


def test_endpoints_carry_the_nodes_names() -> None:
    document = msgspec.json.decode(endpoints([Endpoint("n1", Listen("h", 1)), Endpoint("n2", Listen.at("http://h:2"))]))
    assert [meta["twinshop"]["node"] for meta in everywhere(document, "filter_metadata")] == ["n1", "n2"]
    assert [address["port_value"] for address in everywhere(document, "socket_address")] == [1, 2]


def test_an_address_is_written_as_a_client_writes_it() -> None:
    assert Listen.at(Listen("127.0.0.1", 8101).url) == Listen("127.0.0.1", 8101)
