"""The report in a real browser: offline, without JavaScript; it asks for nothing and is never wider than the screen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.loadtests.report.conftest import MadeUp
from tests.waiting import until

pytestmark = pytest.mark.browser
SEEN_OTHERWISE = ("color-contrast", "link-in-text-block", "scrollable-region-focusable")
"""Rules that another scheme or width can break where a first one did not."""


@pytest.fixture(scope="module")
def address(made_up: MadeUp) -> str:
    report = made_up.folder.parent / "report.html"
    report.write_bytes(made_up.html)
    return report.as_uri()


def opened(
    browser: Browser, address: str, *, width: int, scheme: str, scripts: bool = False
) -> tuple[Page, list[str], list[str]]:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=scripts,
        offline=True,
    )
    page = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(address)
    return page, asked, said


# Contrast takes axe 1.5 ms an element, and a table has thousands: words outside of charts that look like earlier ones
# (their letters, and what lies behind them all the way up) are passed over. `tests/long/test_every_page.py` does not.
MARK_ALIKE = """() => {
  const seen = new Set();
  for (const it of document.body.querySelectorAll('*')) {
    it.removeAttribute('data-alike');
    if (it.children.length || !it.textContent.trim() || it.closest('svg')) continue;
    const own = getComputedStyle(it);
    const looks = [it.tagName, own.color, own.fontSize, own.fontWeight, own.textShadow, own.display, own.clip];
    for (let up = it; up; up = up.parentElement) {
      const style = getComputedStyle(up);
      looks.push(style.backgroundColor, style.backgroundImage, style.opacity, style.position, style.overflow);
    }
    const key = looks.join();
    if (seen.has(key)) it.setAttribute('data-alike', '');
    seen.add(key);
  }
}"""
ONE_OF_EACH_LOOK = 'axe.configure({ rules: [{ id: "color-contrast", selector: ":not([data-alike])" }] });'


def assert_axe_finds_nothing(page: Page, rules: Sequence[str] = (), *, each: bool = False) -> None:
    """WCAG and best practices, or only these rules, by axe-core, with all folds open; contrast of one of each look, or
    of each element. Scripts must be allowed: axe is one.
    """
    page.evaluate("document.querySelectorAll('details').forEach(it => { it.open = true })")
    only = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else {}
    if not each:
        page.evaluate(MARK_ALIKE)
    axe = Axe() if each else Axe(f"{AXE_SCRIPT}\n{ONE_OF_EACH_LOOK}")
    found = axe.run(page, options={"resultTypes": ["violations"], **only})
    assert found.violations_count == 0, found.generate_report()


def axe_finds_nothing_at(page: Page, widths: tuple[int, ...]) -> None:
    """Every rule at the page's own width; at the others those that a width can break."""
    assert_axe_finds_nothing(page)
    own = page.viewport_size
    assert own is not None
    for width in widths:
        page.set_viewport_size({"width": width, "height": own["height"]})
        assert_axe_finds_nothing(page, rules=SEEN_OTHERWISE)
    page.set_viewport_size(own)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_asks_for_nothing_and_complains_of_nothing(browser: Browser, address: str, scheme: str) -> None:
    for width in (1280, 390):
        page, asked, said = opened(browser, address, width=width, scheme=scheme)
        assert page.locator("#n-answer").is_visible()
        assert page.locator("#chart-strips-sticky-memory svg.plot").is_visible()
        assert asked == [address]
        assert said == []


def test_the_table_of_numbers_fits_a_phone(browser: Browser, address: str) -> None:
    page, _, _ = opened(browser, address, width=360, scheme="dark")
    box = page.locator("#summary").bounding_box()
    assert box is not None
    assert box["width"] <= 360
    assert page.locator("#summary .n").first.is_visible()
    assert page.locator("#summary .head").first.is_visible(), "each number says what it is"


def test_a_long_name_in_a_witness_fits_a_phone(browser: Browser, address: str) -> None:
    page, _, _ = opened(browser, address, width=360, scheme="light", scripts=True)
    page.evaluate("document.querySelectorAll('details').forEach(it => { it.open = true })")
    event = page.locator(".witness li > span").first
    event.evaluate("it => it.prepend(`ordered the cart: order ${'0123456789abcdef'.repeat(2)} (201) `)")
    box = event.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 360


def test_charts_follow_the_page_and_their_letters_do_not(browser: Browser, address: str) -> None:
    sizes = {}
    for width in (1280, 390):
        page, _, _ = opened(browser, address, width=width, scheme="light", scripts=True)
        chart = page.locator("#chart-latency svg.plot")
        box = chart.bounding_box()
        letters = chart.locator("text.track").first.bounding_box()
        assert box is not None
        assert letters is not None
        sizes[width] = (box["width"], letters["height"])
    assert sizes[390][0] < 390 < sizes[1280][0]
    assert sizes[390][1] == pytest.approx(sizes[1280][1], abs=1)


def test_the_style_is_the_one_that_the_policy_names(browser: Browser, address: str) -> None:
    page, _, _ = opened(browser, address, width=1280, scheme="dark", scripts=True)
    paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert paper == "rgb(17, 19, 22)"


def test_a_witness_behind_a_closed_fold_opens_by_its_link(browser: Browser, address: str) -> None:
    page, _, _ = opened(browser, address, width=1280, scheme="light")
    page.locator("#row-sticky-memory a", has_text="witness").first.click()
    assert page.locator(":target").is_visible()


def test_it_prints_on_a4_without_cutting_a_figure(browser: Browser, address: str, tmp_path: Path) -> None:
    page, _, _ = opened(browser, address, width=1280, scheme="light")
    pdf = page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True, print_background=True)
    assert pdf.startswith(b"%PDF")
    assert 5 <= pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") <= 16


def shown_in_the_middle(page: Page) -> set[float]:
    """Of each chart that is enlarged, whatever its width: which share of its time axis."""
    frames = page.locator(".panels.timed .frame")
    return {
        round(share, 2)
        for share in frames.evaluate_all("all => all.map(it => (it.scrollLeft + it.clientWidth / 2) / it.scrollWidth)")
    }


class TestWithScripts:
    def test_the_time_axis_grows_and_all_charts_scroll_together(self, browser: Browser, address: str) -> None:
        page, asked, said = opened(browser, address, width=1280, scheme="light", scripts=True)
        frames = page.locator(".panels.timed .frame")
        before = frames.first.locator("svg.plot").bounding_box()
        page.get_by_role("button", name="4×").press("Enter")
        after = frames.first.locator("svg.plot").bounding_box()
        assert before is not None
        assert after is not None
        assert after["width"] == pytest.approx(4 * before["width"], rel=0.01)
        # Not `wait_for_function`: it would need `eval`, which the page forbids.
        assert until(lambda: shown_in_the_middle(page) == {0.5}), "grown about the middle"
        # What each chart has scrolled by itself it hears of in the next frame, which would undo this.
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        frames.first.evaluate("it => { it.scrollLeft = 0.3 * it.scrollWidth - it.clientWidth / 2 }")
        assert until(lambda: shown_in_the_middle(page) == {0.3})
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280
        assert page.get_by_role("button", name="4×").get_attribute("aria-pressed") == "true"
        assert (asked, said) == ([address], [])

    def test_the_numbers_under_the_pointer_are_those_of_the_table(self, browser: Browser, address: str) -> None:
        page, _, _ = opened(browser, address, width=1280, scheme="light", scripts=True)
        panel, figure = page.locator("#chart-timeline-sticky-memory"), page.locator("#figure-timeline")
        panel.locator(".frame").scroll_into_view_if_needed()
        box = panel.locator(".frame").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        told = figure.locator(".readout").text_content() or ""
        end_s = int(page.locator("#numbers").get_attribute("data-end-us") or 0) / 1e6
        name, moment, _ = told.split(", ", 2)
        assert name == "sticky-memory"
        assert float(moment.removesuffix(" s")) == pytest.approx(end_s / 2, abs=0.1), "to a pixel"
        second = told.split("from ")[1].split(" s")[0]
        row = figure.locator(".data table").first.locator(f"tr:has(td:text-is('{second} s'))")
        assert f"ok {row.locator('td').nth(1).text_content()}" in told
        assert figure.locator(".pointer").count() == 4, "the same moment in each architecture"
        assert all(line.is_visible() for line in figure.locator(".pointer").all())

    def test_losses_are_found_by_their_words(self, browser: Browser, address: str) -> None:
        page, _, _ = opened(browser, address, width=1280, scheme="light", scripts=True)
        told = page.locator(".told")
        number = (told.nth(0).text_content() or "").split("Shopper ")[1].split(" ")[0]
        page.get_by_label("Losses with").fill(f"shopper {number}")
        shown = [told.nth(place).text_content() for place in range(told.count()) if told.nth(place).is_visible()]
        assert shown
        assert all(f"Shopper {number} " in (text or "") for text in shown)
        page.get_by_label("Losses with").fill("nobody at all")
        assert page.locator("output").text_content() == f" 0 of {told.count()} losses that are told here"
        page.get_by_label("Losses with").fill("")
        assert told.first.is_visible()


def test_what_cannot_be_read_is_found_among_many_that_can(browser: Browser) -> None:
    page = browser.new_context().new_page()
    rows = ["<p>dark</p>"] * 30
    html = '<html lang="en"><title>t</title><main style="background:#fff"><h1>t</h1>{}</main></html>'
    page.set_content(html.format("".join(rows)))
    assert_axe_finds_nothing(page)
    for unreadable in ('<p style="color:#ccc">pale</p>', '<div style="background:#111"><p>dark</p></div>'):
        page.set_content(html.format("".join([*rows, unreadable])))
        with pytest.raises(AssertionError, match="color-contrast"):
            assert_axe_finds_nothing(page)
