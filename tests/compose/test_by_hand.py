"""The compose files for use by hand: what stands in them, and that they work as a new user would try them."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import msgspec
import pytest
from playwright.sync_api import Browser, Page

from compose import by_hand, hand_files
from compose.engines.images import NODE, OFFICIAL, ensure, node_image
from compose.supervision.ports import free_ports
from tests.containers import engine

__all__ = ["engine"]
COMPOSE = Path(hand_files.__file__).parent
PROFILES = {"stateful.yaml": [[]], "stateless.yaml": [["token"], ["redis"]]}


@pytest.mark.parametrize("path", hand_files.files(), ids=lambda path: path.name)
def test_the_balancers_files_are_up_to_date(path: Path) -> None:
    assert path.read_bytes() == hand_files.files()[path], "run: python -m compose.hand_files"


@pytest.mark.parametrize("name", PROFILES)
def test_no_secret_and_no_open_port_stands_in_a_file(name: str) -> None:
    text = (COMPOSE / name).read_text()
    assert re.findall(r'- "(.*)"', text) == [
        match for match in re.findall(r'- "(.*)"', text) if match.startswith("127.0.0.1:")
    ]
    for line in text.splitlines():
        if re.search(r"(?i)(password|secret_key|token)\s*[:=]\s*\S", line) and "TWINSHOP_STORE: token" not in line:
            assert "$$(cat /run/twinshop/" in line, line


def test_secrets_are_made_once(tmp_path: Path) -> None:
    by_hand.make_secrets(tmp_path)
    made = {name: by_hand.secret(name, tmp_path) for name in by_hand.SECRETS}
    by_hand.make_secrets(tmp_path)
    assert made == {name: by_hand.secret(name, tmp_path) for name in by_hand.SECRETS}
    assert len(set(made.values())) == len(by_hand.SECRETS)
    assert all(stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600 for name in by_hand.SECRETS)


def test_other_words_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert by_hand.main(["nonsense"]) == 2
    assert "by_hand secrets" in capsys.readouterr().err


def composed(name: str, profiles: list[str], *words: str, port: int, admin: int) -> subprocess.CompletedProcess[str]:
    chosen = [word for profile in profiles for word in ("--profile", profile)]
    project = ["--project-name", f"twinshop-test-{port}"]
    environment = {**os.environ, "SHOP_PORT": str(port), "ADMIN_PORT": str(admin)}
    command = ["docker", "compose", "-f", str(COMPOSE / name), *project, *chosen, *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=150)


@contextmanager
def brought_up(name: str, profiles: list[str], *words: str) -> Iterator[int]:
    port, admin = free_ports(2)
    try:
        done = composed(name, profiles, "up", "--wait", *words, port=port, admin=admin)
        assert done.returncode == 0, done.stderr
        yield port
    finally:
        down = composed(name, profiles, "down", "--volumes", "--timeout", "1", port=port, admin=admin)
        assert down.returncode == 0, down.stderr


@pytest.mark.docker
@pytest.mark.parametrize(
    ("name", "profiles"), [(name, profiles) for name, choices in PROFILES.items() for profiles in choices]
)
def test_every_service_is_limited_and_only_the_balancer_is_published(
    name: str, profiles: list[str], engine: docker.APIClient
) -> None:
    done = composed(name, profiles, "config", "--format", "json", port=20_000, admin=20_001)
    assert done.returncode == 0, done.stderr
    services = msgspec.json.decode(done.stdout)["services"]
    published = {name for name, service in services.items() if service.get("ports")}
    assert published == {"balancer"}
    assert {port["host_ip"] for port in services["balancer"]["ports"]} == {"127.0.0.1"}
    for service in services.values():
        assert service["image"] in (NODE, *OFFICIAL)
        assert service["deploy"]["resources"]["limits"]["memory"]
    assert ("store" in services) == (profiles == ["redis"])


def shop_and_lose_the_node(page: Page, port: int, password: str, engine: docker.APIClient) -> tuple[int, str]:
    url = f"http://localhost:{port}"
    page.goto(f"{url}/login")
    page.fill("[name=user]", "user-0001")
    page.fill("[name=password]", password)
    page.click("main form button")
    page.goto(url)
    page.get_by_role("button", name="Add Pocket notebook to the cart").click()
    page.goto(f"{url}/cart")
    assert "Pocket notebook" in page.inner_text("main")
    node = page.inner_text("footer .node")
    engine.kill(node)
    deadline = time.monotonic() + 60
    while True:
        answer = page.reload()
        assert answer is not None
        if answer.status < 500 or time.monotonic() > deadline:
            return answer.status, page.inner_text("main")
        time.sleep(0.1)


@pytest.mark.docker
@pytest.mark.browser
@pytest.mark.parametrize(
    ("name", "profiles", "scale", "status"),
    [("stateful.yaml", [], "node=2", 401), ("stateless.yaml", ["redis"], "redis-node=2", 200)],
)
def test_by_hand_one_shop_forgets_you_and_one_does_not(
    name: str, profiles: list[str], scale: str, status: int, engine: docker.APIClient, browser: Browser
) -> None:
    ensure(engine, (node_image(), *OFFICIAL), lambda _line: None)
    engine.tag(node_image(), NODE, "latest")
    with brought_up(name, profiles, "--scale", scale) as port:
        said = composed(name, profiles, "logs", "--no-log-prefix", "accounts", port=port, admin=port + 1).stdout
        password = said.strip().rpartition(" ")[2]
        with browser.new_context() as context:
            seen, text = shop_and_lose_the_node(context.new_page(), port, password, engine)
    assert seen == status
    assert ("Pocket notebook" in text) == (status == 200)
