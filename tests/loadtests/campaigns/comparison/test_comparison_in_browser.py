"""The page of a comparison in a real browser: it fits every screen, light and dark, and axe finds nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from loadtests.campaigns.comparison.comparison import compare
from loadtests.campaigns.comparison.html_page import comparison_html
from tests.loadtests.campaigns.comparison.made_up import made, sides
from tests.loadtests.report.test_browser import assert_axe_finds_nothing, opened

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("compared")
    page: Path = root / "comparison.html"
    page.write_bytes(comparison_html(compare(sides(made(root / "a"), made(root / "b", run="11111111")))))
    return page.as_uri()


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (390, "dark"), (1280, "light")])
def test_it_fits_asks_for_nothing_and_axe_finds_nothing(
    browser: Browser, address: str, width: int, scheme: str
) -> None:
    page, asked, said = opened(browser, address, width=width, scheme=scheme, scripts=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (asked, said) == ([address], [])
    assert_axe_finds_nothing(page)
