"""Every page that is made of files: axe finds nothing, with every rule, at every width, in both schemes."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.loadtests.report.test_browser import opened
from tests.loadtests.test_every_page import PAGES, look_with_every_rule

pytestmark = [pytest.mark.long, pytest.mark.browser, pytest.mark.timeout(1200)]


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_anywhere(browser: Browser, tmp_path: Path, name: str) -> None:
    path = tmp_path / "page.html"
    path.write_bytes(PAGES[name](tmp_path))
    look_with_every_rule(opened(browser, path.as_uri(), width=360, scheme="light", scripts=True)[0])
