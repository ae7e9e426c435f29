"""One small comparison on real containers: the same plan, the same verdicts, the same evidence as with processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from loadtests.model.history import Exchange, StoredOrder, read_history
from loadtests.model.plan import plan_sha256
from loadtests.planning.make_plan import make_plan
from loadtests.planning.scenario_file import load_scenario
from tests.containers import engine, left_since, things_with
from tests.loadtests.command import SMALL_KILL, twinshop

__all__ = ["engine"]
pytestmark = [pytest.mark.docker, pytest.mark.cluster]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("docker-run")
    (home / "small.toml").write_text(SMALL_KILL)
    return home


@pytest.fixture(scope="module")
def results(home: Path, engine: docker.APIClient) -> Iterator[dict[str, Any]]:
    before = things_with(engine)
    done = twinshop(
        home, "run", "small.toml", "--engine", "docker", "--json", "-q",
        "--architecture", "sticky-memory", "--architecture", "redis", timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    yield json.loads(done.stdout)
    assert left_since(engine, before) == set()


def test_the_verdicts_are_those_of_processes(results: dict[str, Any]) -> None:
    sticky, redis = results["architectures"]["sticky-memory"], results["architectures"]["redis"]
    assert results["verdict"] == "as predicted"
    assert sticky["logged_out"]["shoppers"] == sticky["at_risk"] > 0
    assert redis["logged_out"]["shoppers"] == 0


def test_the_plan_is_that_of_processes(results: dict[str, Any], home: Path) -> None:
    plan = make_plan(load_scenario(str(home / "small.toml")), seed=1, shoppers=None)
    assert results["plan_sha256"] == plan_sha256(plan)


def test_the_kill_was_seen_through_the_engine(results: dict[str, Any], home: Path) -> None:
    events = (home / "runs" / "latest" / "events.ndjson").read_text()
    assert "exited, exit code 137" in events
    assert "image postgres:17" in events


def test_every_acknowledged_order_is_in_postgresql(results: dict[str, Any], home: Path) -> None:
    records = list(read_history(home / "runs" / "latest" / "history.ndjson"))
    acknowledged = {one.order for one in records if isinstance(one, Exchange) and one.order}
    stored = {one.order for one in records if isinstance(one, StoredOrder)}
    assert acknowledged
    assert acknowledged <= stored


def test_up_kill_start_and_down_work_on_containers_too(tmp_path: Path, engine: docker.APIClient) -> None:
    before = things_with(engine)
    up = twinshop(tmp_path, "up", "--architecture", "signed-token", "--engine", "docker", "--nodes", "2", "--json")
    assert up.returncode == 0, up.stderr
    try:
        document = json.loads(up.stdout)
        assert [node["pid"] for node in document["nodes"]] == [None, None]
        for words, said in (
            (("kill", "n1"), "is dead"),
            (("start", "n1"), "serves"),
            (("recover",), "nothing to clear"),
        ):
            done = twinshop(tmp_path, *words)
            assert done.returncode == 0, done.stderr
            assert said in done.stdout
        status = json.loads(twinshop(tmp_path, "status", "--json").stdout)
        assert [node["in_rotation"] for node in status["clusters"][0]["nodes"]] == [True, True]
    finally:
        assert twinshop(tmp_path, "down", "--all").returncode == 0
    assert left_since(engine, before) == set()


@pytest.mark.parametrize("words", [("run", "small.toml", "--engine", "docker"), ("doctor", "--engine", "docker")])
def test_without_an_engine_the_exit_code_is_4(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    done = twinshop(home, *words)
    assert done.returncode == 4
    said = done.stdout + done.stderr
    assert "the Docker engine does not answer" in said
    assert "systemctl start docker" in said
    assert "Traceback" not in said
