"""Every page that is made of files, in Chromium: it fits each screen, is no longer than somebody reads, and axe finds
nothing. `tests/long/test_every_page.py` looks with every rule at every width in both schemes.
"""

from __future__ import annotations

import lzma
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, Page

from loadtests.campaigns.cells import Selection
from loadtests.campaigns.comparison.comparison import compare
from loadtests.campaigns.comparison.page import comparison_html
from loadtests.campaigns.conformance.page import write_pages
from loadtests.campaigns.matrix.page import render as render_matrix
from loadtests.campaigns.repeats.page import render as render_repeats
from loadtests.campaigns.repeats.repeats import Repeats
from loadtests.campaigns.scorecard.scorecard_run import write_scorecard
from loadtests.report import render_report
from tests.loadtests.campaigns.comparison.made_up import made, sides
from tests.loadtests.campaigns.conformance.test_conformance import KNOWN
from tests.loadtests.campaigns.matrix.made_up import CATALOGUE
from tests.loadtests.campaigns.matrix.test_matrix_page import WITH_CELLS, rendered
from tests.loadtests.campaigns.repeats.test_page import repeats
from tests.loadtests.campaigns.scorecard.test_scorecard import made_up_card
from tests.loadtests.report.test_browser import SEEN_OTHERWISE, assert_axe_finds_nothing, opened
from tests.loadtests.synthetic_run import NAMES, SEVEN, synthetic_run
from tests.waiting import until

pytestmark = pytest.mark.browser

GOLDEN = Path(__file__).parents[1] / "golden" / "outputs"
"""What recorded runs come to: tests/golden holds every byte of it against the program of today."""
REPEATS = Path(__file__).parent / "campaigns" / "repeats" / "recorded"
_repeats = msgspec.json.Decoder(Repeats)
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "node-kill.html"
MOST_PX = {1920: 7_000, 1280: 7_000, 390: 12_000, 360: 12_000, 320: 14_000}
"""Before anything is unfolded. 320: a screen of 1280 at 400 % zoom."""
MOST_BYTES = {"repeats of 20 of all architectures": 500_000}
OTHERWISE_MOST_BYTES = 400_000
SAYS_SO = """() => [...document.querySelectorAll('.scroll')].filter(it => it.checkVisibility()).map(it => [
  Math.max(...[...it.children].map(inner => inner.getBoundingClientRect().width)) > it.clientWidth + 1,
  it.scrollWidth > it.clientWidth,
  parseFloat(getComputedStyle(it, '::before').height) > 0,
])"""
Made = Callable[[Path], bytes]


def recorded(name: str) -> Made:
    return lambda _folder: lzma.decompress((GOLDEN / name / "report.html.xz").read_bytes())


def recorded_repeats(blocks: int) -> Made:
    """As a real campaign found them: of 20 blocks two architectures, of 4 four, nine measures each."""

    def made(_folder: Path) -> bytes:
        found = lzma.decompress((REPEATS / f"{blocks}.json.xz").read_bytes())
        return render_repeats(_repeats.decode(found))

    return made


def report_of(shoppers: int, names: tuple[str, ...] = NAMES) -> Made:
    return lambda folder: render_report(folder / "run", synthetic_run(folder / "run", shoppers=shoppers, names=names))


def compared(folder: Path) -> bytes:
    return comparison_html(compare(sides(made(folder / "a"), made(folder / "b", run="11111111"))))


def family(folder: Path) -> bytes:
    return render_matrix(folder, WITH_CELLS, CATALOGUE, (), Selection(families=("availability",)))


PAGES: dict[str, Made] = {
    "report of five architectures": recorded("node-kill"),
    "report of seven architectures": report_of(60, SEVEN),
    "inconclusive report": recorded("nobody-can-look"),
    "report of six that lost something": recorded("checkout-retried-without-keys"),
    "report of a workshop's round": recorded("workshop-round"),
    "report of 12 shoppers": report_of(12),
    "report of 1,000 shoppers": report_of(1000),
    "the example in the docs": lambda _folder: EXAMPLE.read_bytes(),
    "matrix": lambda folder: rendered(folder, WITH_CELLS),
    "matrix of a family": family,
    "repeats of 4": recorded_repeats(4),
    "repeats of 20": recorded_repeats(20),
    "repeats of 20 of all architectures": lambda _folder: render_repeats(repeats(NAMES)),
    "comparison": compared,
    "scorecard": lambda folder: write_scorecard(folder, made_up_card())[1].read_bytes(),
    "conformance": lambda folder: write_pages(folder, KNOWN).read_bytes(),
}
SAME_AS_ANOTHER = {
    name for name in PAGES if name.startswith("report of") and "seven" not in name and "round" not in name
}
"""For axe, to which a report takes five seconds: built of the same parts as the report of seven architectures."""
SAME_AS_ANOTHER.add("the example in the docs")


@pytest.fixture(scope="module", params=PAGES)
def made_page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp("page")
    page = folder / "page.html"
    page.write_bytes(PAGES[request.param](folder))
    return request.param, page


def test_it_fits_every_screen_and_is_no_longer_than_somebody_reads(
    browser: Browser, made_page: tuple[str, Path]
) -> None:
    name, path = made_page
    assert path.stat().st_size <= MOST_BYTES.get(name, OTHERWISE_MOST_BYTES)
    page, asked, said = opened(browser, path.as_uri(), width=1920, scheme="light", scripts=True)
    for number, (width, most_px) in enumerate(MOST_PX.items()):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if number % 2 else "light")
        wide, tall = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
        assert wide <= width
        assert tall <= most_px, width
        said_of_tables = f"at {width}: a table that is wider says so, and no other"
        # Whether it scrolls is seen with the next picture of the screen.
        assert until(lambda: all(len(set(table)) == 1 for table in page.evaluate(SAYS_SO))), said_of_tables
    assert (asked, said) == ([path.as_uri()], [])


def test_axe_finds_nothing(browser: Browser, made_page: tuple[str, Path]) -> None:
    name, path = made_page
    if name in SAME_AS_ANOTHER:
        return
    page, _, _ = opened(browser, path.as_uri(), width=360, scheme="light", scripts=True)
    assert_axe_finds_nothing(page)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="dark")
    assert_axe_finds_nothing(page, rules=SEEN_OTHERWISE)


def look_with_every_rule(page: Page) -> None:
    """At every width, in both schemes."""
    for width in (360, 390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        for dark in (False, True):
            page.emulate_media(color_scheme="dark" if dark else "light")
            assert_axe_finds_nothing(page, each=True)
