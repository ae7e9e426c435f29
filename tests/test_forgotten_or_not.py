"""As a new user would: log in to both shops, fill the carts, kill the node that served you, reload. One forgot you."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.loadtests.command import twinshop

pytestmark = [pytest.mark.browser, pytest.mark.cluster]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    twinshop(tmp_path, "down", "--all")


def shop_and_lose_the_node(home: Path, page: Page, architecture: str) -> tuple[int, str]:
    """The status of the cart page after the node that had served it was killed, and what it says."""
    done = twinshop(home, "up", "--architecture", architecture, "--nodes", "2", "--json")
    cluster: dict[str, Any] = json.loads(done.stdout)
    page.goto(cluster["url"] + "/login")
    page.fill("[name=user]", "user-0001")
    page.fill("[name=password]", cluster["users"]["password"])
    page.click("main form button")
    page.goto(cluster["url"])
    page.get_by_role("button", name="Add Pocket notebook to the cart").click()
    page.goto(cluster["url"] + "/cart")
    assert "Pocket notebook" in page.inner_text("main")
    served_by = page.inner_text("footer .node")
    killed = twinshop(home, "kill", served_by)
    assert killed.returncode == 0, killed.stderr
    answer = page.reload()
    assert answer is not None
    assert page.inner_text("footer .node") != served_by
    return answer.status, page.inner_text("main")


def test_the_stateful_shop_forgot_you(home: Path, browser: Browser) -> None:
    with browser.new_context() as context:
        status, text = shop_and_lose_the_node(home, context.new_page(), "sticky-memory")
    assert status == 401
    assert "does not know you any more" in text
    assert "Pocket notebook" not in text


@pytest.mark.parametrize("architecture", ["signed-token", "redis"])
def test_the_stateless_shop_did_not(home: Path, browser: Browser, architecture: str) -> None:
    with browser.new_context() as context:
        status, text = shop_and_lose_the_node(home, context.new_page(), architecture)
    assert status == 200
    assert "Pocket notebook" in text
