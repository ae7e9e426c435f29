from __future__ import annotations

from pathlib import Path

import pytest

from compose.architectures import ARCHITECTURES
from compose.cluster import ClusterSpec, Limits, check_distance, has_wires, other_parts, wire_ends
from compose.engines.cluster_file import (
    SCHEMA,
    first_ports,
    new_cluster,
    ports_of_one_more,
    read_cluster_file,
    work_folder,
    write_cluster_file,
)
from compose.engines.page_cache import check_no_cache
from shared.errors import UsageError
from tests.shared.schema_contract import SchemaContract


def spec(architecture: str, *, wires: bool = False, **limits: float | str) -> ClusterSpec:
    return ClusterSpec("r", ARCHITECTURES[architecture], nodes=2, wires=wires, limits=Limits(**limits))  # type: ignore[arg-type]


def test_the_parts_of_a_cluster_follow_from_its_architecture() -> None:
    assert other_parts(spec("sticky-memory", wires=True)) == ("balancer",)
    assert other_parts(spec("token-denylist")) == ("balancer", "store")
    assert other_parts(spec("redis", store_distance_ms=2)) == ("balancer", "store", "wires")
    everything = ("balancer", "store", "replica", "sentinel", "wires")
    assert other_parts(spec("redis-replica", wires=True)) == everything


def test_a_cache_of_pages_stands_before_the_balancer_and_not_every_engine_has_one() -> None:
    assert other_parts(spec("signed-token", page_cache="obeys")) == ("balancer", "cache")
    assert "cache" in first_ports(spec("signed-token", page_cache="ignores"))
    check_no_cache(spec("signed-token"), "docker")
    with pytest.raises(UsageError, match="docker has no cache"):
        check_no_cache(spec("signed-token", page_cache="obeys"), "docker")


def test_who_asks_a_sentinel_needs_no_wire() -> None:
    assert wire_ends(spec("redis"), ["n1", "n2"]) == ()
    assert wire_ends(spec("redis", wires=True), ["n1", "n2"]) == ("n1", "n2")
    assert wire_ends(spec("redis-replica", wires=True), ["n1", "n2"]) == ("replica",)
    assert not has_wires(spec("signed-token", wires=True, store_distance_ms=2))


def test_a_store_that_nodes_reach_without_a_wire_cannot_be_far() -> None:
    with pytest.raises(UsageError, match="redis-replica cannot be 2 ms away"):
        check_distance(spec("redis-replica", store_distance_ms=2))
    for fine in (spec("redis", store_distance_ms=2), spec("redis-replica"), spec("sticky-memory", store_distance_ms=2)):
        check_distance(fine)


def test_everything_that_listens_has_a_port() -> None:
    assert tuple(first_ports(spec("sticky-memory")))[-2:] == ("n1", "n2")
    assert len(first_ports(spec("sticky-memory"))) == 4
    assert len(first_ports(spec("redis", wires=True))) == 4 + 2 + 2
    assert len(first_ports(spec("replicated-memory"))) == 4 + 2
    assert tuple(ports_of_one_more(spec("replicated-memory"), "n3")) == ("replication of n3", "n3")
    assert tuple(ports_of_one_more(spec("redis", wires=True), "n3")) == ("wire of n3", "n3")
    assert tuple(ports_of_one_more(spec("redis-replica", wires=True), "n3")) == ("n3",)


class TestClusterFile(SchemaContract):
    schema = SCHEMA
    error = UsageError

    def write(self, folder: Path) -> Path:
        work_folder(folder).mkdir()
        asked = spec("redis", wires=True)
        written = new_cluster("processes", asked, "", first_ports(asked))
        write_cluster_file(folder, written)
        assert read_cluster_file(folder) == written
        return work_folder(folder) / "cluster.json"

    def read(self, path: Path) -> object:
        return read_cluster_file(path.parents[1])
