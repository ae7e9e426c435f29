"""What a balancer is told in front of nodes that do not exist tells whether it is told something else now."""

from __future__ import annotations

import msgspec
import pytest

from compose.applications.twins import Twins
from compose.architectures import ARCHITECTURES
from compose.balancers import BALANCERS
from compose.balancers.contract import Routing, Site
from compose.balancers.example import RUN, configuration_sha256
from compose.balancers.haproxy import HAProxy
from compose.cluster import ClusterSpec, Limits

SPEC = ClusterSpec(RUN, ARCHITECTURES["sticky-memory"])


@pytest.mark.parametrize("name", list(BALANCERS))
def test_it_is_the_same_each_time_and_another_one_for_other_limits(name: str) -> None:
    balancer, impatient = BALANCERS[name], msgspec.structs.replace(SPEC, limits=Limits(balancer_retries=2))
    digest = configuration_sha256(balancer, SPEC, Twins.http)
    assert digest == configuration_sha256(balancer, SPEC, Twins.http)
    assert digest != configuration_sha256(balancer, impatient, Twins.http)


def test_all_balancers_are_told_something_else() -> None:
    digests = {configuration_sha256(balancer, SPEC, Twins.http) for balancer in BALANCERS.values()}
    assert len(digests) == len(BALANCERS)


@pytest.mark.parametrize("what", ["draining", "weight", "affinity", "retries", "canary"])
def test_what_is_told_later_counts_too(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def digest() -> str:
        return configuration_sha256(HAProxy(), SPEC, Twins.http)

    before, files = digest(), HAProxy.files

    def other(balancer: HAProxy, site: Site, routing: Routing) -> dict[str, bytes]:
        found, balancing = files(balancer, site, routing), routing.balancing
        there = {
            "draining": any(member.draining for member in routing.members),
            "weight": any(member.weight > 1 for member in routing.members),
            "affinity": not balancing.affinity,
            "retries": balancing.retries,
            "canary": balancing.canary,
        }
        return found | {"more": b"# another line"} if there[what] else found

    monkeypatch.setattr(HAProxy, "files", other)
    assert digest() != before


def test_another_command_line_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    before = configuration_sha256(HAProxy(), SPEC, Twins.http)
    monkeypatch.setattr(HAProxy, "words", lambda _self, _site: ["-W"])
    assert configuration_sha256(HAProxy(), SPEC, Twins.http) != before
