"""How large a report is on screens of four widths, before anything is unfolded, and that nobody scrolls sideways."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from loadtests.report import render_report
from tests.loadtests.report.test_browser import assert_axe_finds_nothing, opened
from tests.loadtests.synthetic_run import SEVEN, synthetic_run

pytestmark = pytest.mark.browser

GOLDEN = Path(__file__).parents[2] / "golden" / "outputs"
"""What recorded runs come to: tests/golden holds every byte of it against the program of today."""
MOST_PX = {1920: 7_000, 1280: 7_000, 390: 12_000, 360: 12_000}
MOST_BYTES = 400_000
RUNS = ("node-kill", "nobody-can-look", "checkout-retried-without-keys", "seven architectures")
"""Five architectures; an inconclusive run; six, of which each lost something; the most that a scenario asks for."""
SAYS_SO = """() => [...document.querySelectorAll('.scroll')].filter(it => it.checkVisibility()).map(it => [
  it.scrollWidth > it.clientWidth,
  parseFloat(getComputedStyle(it, '::before').height) > 0,
])"""


@pytest.fixture(scope="module", params=RUNS)
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    page = folder / "report.html"
    recorded = GOLDEN / request.param / "report.html.xz"
    if recorded.is_file():
        page.write_bytes(lzma.decompress(recorded.read_bytes()))
    else:
        page.write_bytes(render_report(folder / "run", synthetic_run(folder / "run", names=SEVEN)))
    return page


def height_of(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollHeight"))


def test_it_is_no_longer_than_somebody_reads(browser: Browser, report: Path) -> None:
    assert report.stat().st_size <= MOST_BYTES
    for number, (width, most_px) in enumerate(MOST_PX.items()):
        page, _, said = opened(
            browser, report.as_uri(), width=width, scheme=("light", "dark")[number % 2], scripts=True
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert height_of(page) <= most_px, width
        assert said == []
        scrolled = page.evaluate(SAYS_SO)
        assert scrolled
        assert all(wider == says_so for wider, says_so in scrolled), "a table that scrolls says so, and no other"
        page.context.close()


def test_the_table_of_numbers_fits_a_phone(browser: Browser, report: Path) -> None:
    page, _, _ = opened(browser, report.as_uri(), width=360, scheme="dark")
    box = page.locator("#summary").bounding_box()
    assert box is not None
    assert box["width"] <= 360
    assert page.locator("#summary .n").first.is_visible()
    assert page.locator("#summary .head").first.is_visible(), "each number says what it is"
    page.context.close()


def test_axe_finds_nothing_on_a_phone(browser: Browser, report: Path) -> None:
    page, _, _ = opened(browser, report.as_uri(), width=390, scheme="light", scripts=True)
    assert_axe_finds_nothing(page)
    page.context.close()
