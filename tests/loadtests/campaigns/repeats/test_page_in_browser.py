"""The page of repeats in a real browser: offline, without JavaScript; it asks for nothing and fits every screen."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from loadtests.campaigns.repeats.page import render
from tests.loadtests.campaigns.repeats.test_page import MEASURES, repeats
from tests.loadtests.report.test_browser import opened

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    page = Path(tmp_path_factory.mktemp("repeats")) / "report.html"
    page.write_bytes(render(repeats(("sticky-memory", "roundrobin-memory", "signed-token", "redis"))))
    return page.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_asks_for_nothing_and_complains_of_nothing(browser: Browser, address: str, scheme: str) -> None:
    page, asked, said = opened(browser, address, width=1280, scheme=scheme)
    assert page.locator("#n-answer").is_visible()
    assert page.locator("#comparisons").is_visible()
    for measure in MEASURES:
        assert page.locator(f"#chart-{measure} svg.plot").is_visible()
    assert (asked, said) == ([address], [])


def test_nothing_is_wider_than_the_screen(browser: Browser, address: str) -> None:
    for width in (1280, 390, 320):  # 320: a screen of 1280 at 400 % zoom
        page, _, _ = opened(browser, address, width=width, scheme="light", scripts=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        texts = page.locator("svg.plot text").evaluate_all("all => all.map(it => it.getBoundingClientRect().right)")
        assert max(texts) <= width + 1
