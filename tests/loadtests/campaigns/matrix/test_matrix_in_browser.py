"""The page of the matrix in a real browser: offline, without JavaScript; it asks for nothing and fits every screen."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.loadtests.campaigns.matrix.test_matrix_page import WITH_CELLS, rendered
from tests.loadtests.report.test_browser import assert_axe_finds_nothing, opened

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    page = Path(tmp_path_factory.mktemp("matrix")) / "matrix.html"
    page.write_bytes(rendered(page.parent, WITH_CELLS))
    return page.as_uri()


def test_it_asks_for_nothing_and_is_never_wider_than_the_screen(browser: Browser, address: str) -> None:
    for width in (1280, 390, 320):
        page, asked, said = opened(browser, address, width=width, scheme="light")
        assert page.locator("h1").is_visible()
        assert (asked, said) == ([address], [])
        page, _, _ = opened(browser, address, width=width, scheme="light", scripts=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(browser: Browser, address: str, scheme: str, width: int) -> None:
    assert_axe_finds_nothing(opened(browser, address, width=width, scheme=scheme, scripts=True)[0])
