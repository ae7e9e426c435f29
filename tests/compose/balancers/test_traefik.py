from __future__ import annotations

import json
from pathlib import Path

import pytest

from compose.applications.twins import Twins
from compose.architectures import ARCHITECTURES
from compose.balancers.contract import AS_SHIPPED, Routing, Site
from compose.balancers.traefik import DYNAMIC_FILE, Traefik
from compose.cluster import Balancing, ClusterSpec, HttpInterface
from compose.supervision.ports import Listen
from tests.compose.balancers.contract import BalancerContract


@pytest.mark.cluster
class TestTraefik(BalancerContract):
    balancer = Traefik()


def test_where_it_retries_no_answer_is_let_go_before_it_is_whole() -> None:
    here = Listen("127.0.0.1", 8000)
    spec = ClusterSpec("0123abcd", ARCHITECTURES["sticky-memory"], balancer="traefik")
    site = Site(spec, Twins.http, here, here, Path("/run"), Path("/run/access.log"))

    def flushes(balancer: Traefik, retries: int | None) -> object:
        told = json.loads(balancer.files(site, Routing(balancing=Balancing(retries=retries)))[DYNAMIC_FILE])
        return told["http"]["services"]["nodes"]["loadBalancer"].get("responseForwarding")

    assert flushes(Traefik(), 1) == {"flushInterval": f"{spec.limits.balancer_route_timeout_s}s"}
    assert flushes(Traefik(), None) is None
    assert flushes(Traefik(AS_SHIPPED), 1) is None


def test_an_application_for_which_nothing_is_done_on_the_way_has_no_empty_middlewares() -> None:
    """Traefik would take nothing of the whole file, and never lead anybody to a node."""
    here = Listen("127.0.0.1", 8000)
    spec = ClusterSpec("0123abcd", ARCHITECTURES["sticky-memory"], balancer="traefik")
    site = Site(spec, HttpInterface("/health"), here, here, Path("/run"), Path("/run/access.log"))
    assert "middlewares" not in json.loads(Traefik().files(site, Routing())[DYNAMIC_FILE])["http"]
