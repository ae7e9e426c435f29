from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from compose.applications.twins import Twins
from compose.architectures import ARCHITECTURES
from compose.balancers.contract import Member, Routing, Site, affinity_cookie, ring_cookie
from compose.balancers.envoy import Envoy
from compose.balancers.envoy_config import bootstrap, endpoints, routes_file
from compose.balancers.nginx import Nginx
from compose.cluster import Balancing, ClusterSpec, Limits
from compose.supervision.ports import Listen


def site(folder: Path = Path("/etc/x"), architecture: str = "sticky-memory", **limits: Any) -> Site:
    spec = ClusterSpec("0123abcd", ARCHITECTURES[architecture], limits=Limits(**limits))
    here, admin = Listen("127.0.0.1", 20001), Listen("127.0.0.1", 20002)
    return Site(spec, Twins.http, here, admin, folder, folder / "access.ndjson")


def configured(folder: Path, architecture: str = "sticky-memory", **limits: Any) -> bytes:
    return bootstrap(site(folder, architecture, **limits))


def routed(architecture: str = "sticky-memory", balancing: Balancing | None = None, **limits: Any) -> Any:
    return msgspec.json.decode(routes_file(site(architecture=architecture, **limits), balancing or Balancing()))


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
@pytest.mark.parametrize("by_hand", [False, True])
def test_envoy_takes_it(architecture: str, retries: int, by_hand: bool, tmp_path: Path) -> None:
    """By hand the routes are in the listener, so that they are validated too."""
    where, member = site(tmp_path, architecture, balancer_retries=retries), Listen("127.0.0.1", 20003)
    for name, content in Envoy().files(where, Routing((Member("n1", member),))).items():
        (tmp_path / name).write_bytes(content)
    if by_hand:
        (tmp_path / "balancer.json").write_bytes(bootstrap(where, nodes=member))
    done = subprocess.run(
        [Envoy().program().path, *Envoy().words(where), "--mode", "validate"],
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
    assert everywhere(routed(), "retry_policy") == []
    policies = everywhere(routed(balancer_retries=2), "retry_policy")
    assert [policy["num_retries"] for policy in policies] == [2, 2]


def test_an_event_stream_has_no_timeout(tmp_path: Path) -> None:
    stream, page = everywhere(routed(), "route")
    assert (stream["timeout"], page["timeout"]) == ("0.000s", "5.000s")
    assert everywhere(routed(), "path") == ["/orders/progress"]


def test_the_cookie_that_leads_to_a_node_has_a_lifetime_if_it_is_told(tmp_path: Path) -> None:
    (cookie,) = everywhere(msgspec.json.decode(configured(tmp_path, affinity_cookie_s=3)), "cookie")
    assert cookie["ttl"] == "3s"
    conf = Nginx().files(site(tmp_path, affinity_cookie_s=3), Routing((Member("n1", Listen("127.0.0.1", 20003)),)))
    assert b" expires=3s " in conf["nginx.conf"]


def test_only_cookie_and_hash_affinity_set_a_cookie(tmp_path: Path) -> None:
    for name, known in ARCHITECTURES.items():
        spec = ClusterSpec("0123abcd", known)
        cookies = everywhere([msgspec.json.decode(configured(tmp_path, name)), routed(name)], "cookie")
        # In the listener's filter, or in each of the two routes.
        named = {"cookie": [affinity_cookie(spec)], "hash": 2 * [ring_cookie(spec)]}.get(known.affinity, [])
        assert [cookie["name"] for cookie in cookies] == named
        # Without a lifetime of 0 s, Envoy would make no cookie to be hashed.
        assert [cookie.get("ttl") for cookie in cookies] == {"cookie": [None], "hash": ["0s", "0s"]}.get(
            known.affinity, []
        )


def test_the_routes_are_in_the_listener_or_in_a_file(tmp_path: Path) -> None:
    by_hand = bootstrap(site(tmp_path), nodes=Listen("node", 8000))
    (inside,) = everywhere(msgspec.json.decode(by_hand), "route_config")
    assert everywhere(msgspec.json.decode(configured(tmp_path)), "route_config") == []
    (outside,) = routed()["resources"]
    assert inside == {name: value for name, value in outside.items() if name != "@type"}


def test_routes_can_be_changed() -> None:
    assert everywhere(routed(), "typed_per_filter_config") == everywhere(routed(), "retry_policy") == []
    changed = routed(balancing=Balancing(affinity=False, retries=3))
    assert everywhere(changed, "disabled") == [True, True]
    assert everywhere(changed, "num_retries") == [3, 3]
    assert everywhere(routed(balancing=Balancing(retries=0), balancer_retries=2), "num_retries") == []
    for ring in ("sticky-hash", "sticky-address"):
        for (by,) in everywhere(routed(ring, Balancing(affinity=False)), "hash_policy"):
            assert by == {"header": {"header_name": "x-request-id"}}


def test_a_node_that_is_drained_says_so_and_one_with_weight_too() -> None:
    plain, drained, heavy = (Member("n", Listen("h", 1), *more) for more in ((), (True,), (False, 2)))
    (hosts,) = everywhere(msgspec.json.decode(endpoints([plain, drained, heavy])), "lb_endpoints")
    assert [host.get("health_status") for host in hosts] == [None, "DRAINING", None]
    assert [host.get("load_balancing_weight") for host in hosts] == [None, None, 2]


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
    assert everywhere(document, "timeout") == ["0.125s"]
    assert everywhere(routed(balancer_route_timeout_s=7.0), "timeout") == ["0.000s", "7.000s"]
    assert everywhere(document, "connect_timeout") == ["0.750s"]
    assert everywhere(document, "idle_timeout") == ["9.000s"]
    assert everywhere(document, "healthy_panic_threshold") == [{"value": 0}]


def test_the_balancer_lets_go_of_a_connection_before_the_node_does() -> None:
    from shared.node import KEEP_ALIVE_MS

    assert Limits().balancer_upstream_idle_s * 1000 < KEEP_ALIVE_MS


def test_endpoints_carry_the_nodes_names() -> None:
    document = msgspec.json.decode(endpoints([Member("n1", Listen("h", 1)), Member("n2", Listen.at("http://h:2"))]))
    assert [meta["twinshop"]["node"] for meta in everywhere(document, "filter_metadata")] == ["n1", "n2"]
    assert [address["port_value"] for address in everywhere(document, "socket_address")] == [1, 2]


def test_an_address_is_written_as_a_client_writes_it() -> None:
    assert Listen.at(Listen("127.0.0.1", 8101).url) == Listen("127.0.0.1", 8101)
