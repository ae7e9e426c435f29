"""A service of somebody's compose file is carried over as compose resolves it, or refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from compose.applications.compose_file import ComposeService, compose_service
from shared.errors import DescriptionError, EnvironmentNotReady

pytestmark = pytest.mark.docker
WHOLE = """\
services:
  web:
    build: .
    command: ["serve", "--port", "8000"]
    environment: { WHERE: "${WHERE_IT_IS}", UNKNOWN: }
    volumes: ["./code:/app:ro"]
    ports: ["8000:8000"]
    restart: always
    depends_on: [cache]
  cache:
    image: redis:8
    mem_limit: 64m
    healthcheck: { test: ["CMD", "redis-cli", "ping"] }
    volumes: ["data:/data"]
    depends_on: [base]
  base: { image: "redis:8", user: "1000" }
  unused: { image: "nobody/asks", privileged: true }
volumes: { data: }
"""


def resolved(folder: Path, text: str, name: str = "web") -> ComposeService:
    file = folder / "compose.yaml"
    file.write_text(text)
    return compose_service(file, name)


def test_it_is_what_compose_says_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHERE_IT_IS", "here")
    found = resolved(tmp_path, WHOLE)
    web, (base, cache) = found.node, found.beside
    assert (web.name, web.build is None, web.command) == ("web", False, ("serve", "--port", "8000"))
    assert web.image == f"{tmp_path.name.lower().replace('.', '')}-web"
    assert web.environment == {"WHERE": "here"}
    assert web.binds == (f"{tmp_path}/code:/app:ro",)
    assert (base.name, base.user, base.health) == ("base", "1000", ())
    assert (cache.name, cache.mem_limit, cache.binds) == ("cache", 64 * 2**20, ())
    assert cache.health == ("redis-cli", "ping")


@pytest.mark.parametrize(
    ("before", "instead", "says"),
    [
        ("restart: always", "privileged: true", "privileged, which Twinshop does not carry over"),
        ("./code:/app:ro", "data:/app", "a volume is at /app"),
    ],
)
def test_what_it_would_lack_is_refused(tmp_path: Path, before: str, instead: str, says: str) -> None:
    with pytest.raises(DescriptionError) as refused:
        resolved(tmp_path, WHOLE.replace(before, instead))
    assert says in str(refused.value.why)


def test_there_is_no_such_service(tmp_path: Path) -> None:
    with pytest.raises(DescriptionError, match="has no service 'wbe'"):
        resolved(tmp_path, WHOLE, "wbe")


def test_what_compose_refuses_is_said_in_its_words(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentNotReady) as refused:
        resolved(tmp_path, "services: { web: { image: 3, imagge: x } }")
    assert "docker compose config: " in str(refused.value.why)
