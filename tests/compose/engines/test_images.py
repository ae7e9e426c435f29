from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import docker
import pytest

from compose.engines import images
from shared.errors import EnvironmentNotReady, UsageError
from tests.compose.engine_tests import new_spec
from tests.containers import engine

__all__ = ["engine"]


@pytest.fixture(autouse=True)
def forget_names() -> None:
    images.node_image.cache_clear()


def test_the_name_follows_what_goes_in(monkeypatch: pytest.MonkeyPatch) -> None:
    before = images.node_image()
    images.node_image.cache_clear()
    assert images.node_image() == before
    changed = images.inputs() | {"shared/node.py": b"another one"}
    monkeypatch.setattr(images, "inputs", lambda: changed)
    images.node_image.cache_clear()
    assert images.node_image() != before


def test_only_what_a_node_needs_goes_in() -> None:
    inputs = images.inputs()
    rooms = {name.partition("/")[0] for name in inputs}
    assert rooms == {"compose", "shared", "stateful_app", "stateless_app"}
    assert {name for name in inputs if name.startswith("compose/")} == set(images._FILES)
    assert "shared/shop/templates/base.html" in inputs
    assert not [name for name in inputs if "__pycache__" in name]
    assert sum(map(len, inputs.values())) < 1_000_000


def test_the_context_is_always_the_same_bytes() -> None:
    first, second = images._context(), images._context()
    assert first.getvalue() == second.getvalue()
    with tarfile.open(fileobj=first) as archive:
        assert set(archive.getnames()) == set(images.inputs())


def test_redis_is_needed_only_where_an_architecture_uses_it() -> None:
    for name in ("redis", "redis-replica", "token-denylist"):
        assert images.STORE in images.needed(new_spec(name))
    for name in ("signed-token", "sticky-memory", "replicated-memory"):
        assert images.STORE not in images.needed(new_spec(name))


def test_the_dockerfile_and_the_code_name_the_same() -> None:
    text = (Path(images.__file__).parents[1] / "Dockerfile").read_text()
    assert text.count(f"FROM {images.PYTHON}") == 2
    assert "USER 10001:10001" in text


class Offline:
    """An engine without images and without a network."""

    def inspect_image(self, name: str) -> dict[str, Any]:
        raise docker.errors.ImageNotFound(f"No such image: {name}")

    def pull(self, *_: str, **__: object) -> list[dict[str, str]]:
        return [{"error": "dial tcp: lookup registry-1.docker.io: no such host"}]


def test_a_missing_image_without_a_network_says_what_to_do() -> None:
    said: list[str] = []
    with pytest.raises(EnvironmentNotReady, match=r"redis:8 is missing and cannot be pulled") as raised:
        images.ensure(Offline(), ("redis:8",), said.append)  # type: ignore[arg-type]
    assert "no such host" in raised.value.why
    assert "twinshop images load" in raised.value.next_step
    assert said == ["pulling redis:8 …"]
    with pytest.raises(EnvironmentNotReady, match=r"python:3\.13-slim is missing"):
        images.ensure(Offline(), (images.node_image(),), said.append)  # type: ignore[arg-type]


def test_a_file_that_is_not_there_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        images.load(Offline(), tmp_path / "none.tar", print)  # type: ignore[arg-type]


@pytest.mark.docker
def test_a_file_that_holds_no_images(tmp_path: Path, engine: docker.APIClient) -> None:
    (tmp_path / "x.tar").write_bytes(b"no tar" * 1000)
    with pytest.raises((UsageError, EnvironmentNotReady)) as raised:
        images.load(engine, tmp_path / "x.tar", lambda _line: None)
    assert raised.value.exit_code in (2, 4)


@pytest.mark.docker
def test_an_image_is_built_once(engine: docker.APIClient) -> None:
    said: list[str] = []
    images.ensure(engine, (images.node_image(),), said.append)
    said.clear()
    images.ensure(engine, (images.node_image(),), said.append)
    assert said == []
    found = engine.inspect_image(images.node_image())
    assert found["Config"]["User"] == "10001:10001"
    assert found["Config"]["Healthcheck"]
    assert found["Config"]["StopSignal"] == "SIGTERM"
