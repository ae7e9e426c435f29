"""Services of a compose file as nodes: made as compose says, struck as containers, gone with the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from compose.applications.description_file import load_description
from compose.cluster import ClusterSpec, Limits
from compose.containers import of_run
from compose.description import architectures_of
from compose.engines.contract import Cluster
from compose.engines.docker import DockerEngine
from compose.engines.images import node_image
from compose.probes import ask
from compose.running import new_run_id
from tests.applications import BROKEN
from tests.compose.engine_tests import running, watch
from tests.containers import engine, left_since, things_with

__all__ = ["engine"]
pytestmark = [pytest.mark.docker, pytest.mark.cluster]


@pytest.fixture(scope="module")
def cluster(engine: docker.APIClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two nodes of the service."""
    before, home = things_with(engine), tmp_path_factory.mktemp("service")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NODE_IMAGE", node_image())  # as its owner's shell would have it
        described = load_description(BROKEN / "service.toml")
        architecture = architectures_of(described)["service-memory"]
        limits = Limits(cluster_ready_s=90, node_ready_s=60)  # bounds, not speeds: other tests run beside this one
        spec = ClusterSpec(new_run_id(), architecture, nodes=2, accounts=2, limits=limits, application=described)
        with running(DockerEngine(), spec, home) as cluster:
            yield cluster
    assert left_since(engine, before) == set()


def containers_of(engine: docker.APIClient, cluster: Cluster) -> dict[str, dict[str, object]]:
    found = engine.containers(all=True, filters=of_run(cluster.spec.run))
    return {one["Names"][0].rpartition("-")[2]: engine.inspect_container(one["Id"]) for one in found}


def test_each_node_is_what_compose_says_and_what_the_description_says_beyond_that(
    engine: docker.APIClient, cluster: Cluster
) -> None:
    found = containers_of(engine, cluster)
    assert set(found) == {"n1", "n2", "rest", "balancer"}
    for name in ("n1", "n2"):
        told = dict(word.split("=", 1) for word in found[name]["Config"]["Env"] if "=" in word)  # type: ignore[index]
        assert (told["SESSIONS"], told["NODE"]) == ("memory", "web")
        assert told["SECRET"] not in ("", "from-compose")
        assert found[name]["HostConfig"]["RestartPolicy"]["Name"] == "no"  # type: ignore[index]


def test_nothing_is_published_but_on_this_machine_and_of_what_it_rests_on_nothing_at_all(
    engine: docker.APIClient, cluster: Cluster
) -> None:
    found = containers_of(engine, cluster)
    published = {name: it["NetworkSettings"]["Ports"] for name, it in found.items()}  # type: ignore[index]
    assert {port for port, bound in published["n1"].items() if bound} == {"8000/tcp"}
    assert published["n1"]["8000/tcp"][0]["HostIp"] == "127.0.0.1"
    assert not any((published["rest"] or {}).values())


def test_a_node_is_killed_and_comes_back_as_another_start_of_it(cluster: Cluster) -> None:
    assert ask(f"{cluster.url}/health", within_s=5.0).status == 200
    before = cluster.observe("n1")
    assert before.boot
    cluster.kill("n1")
    watch(cluster, "n1", lambda seen: not seen.process and not seen.answers)
    cluster.start("n1")
    after = watch(cluster, "n1", lambda seen: seen.answers and seen.in_rotation)
    assert after.boot not in (None, before.boot)


def test_its_logs_are_there(cluster: Cluster, tmp_path: Path) -> None:
    logs = cluster.logs()
    assert {"n1", "n2", "rest", "balancer", "access"} <= set(logs)
    assert logs["rest"].is_file()
