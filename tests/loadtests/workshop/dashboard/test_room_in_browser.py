"""What a room looks at: all of it at once, on small projectors too; and how to join, without the instructor's key."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.loadtests.workshop.dashboard.process import TOKEN
from tests.loadtests.workshop.dashboard.stage import on_stage

pytestmark = pytest.mark.browser
SEEN_AT_ONCE = (
    "#left-numbers",
    "#right-numbers",
    "#left-picture svg",
    "#right-picture svg",
    "#fault-buttons",
    "#visit",
)


def test_all_that_a_room_looks_at_is_seen_without_scrolling(browser: Browser, tmp_path: Path) -> None:
    """In both modes, on small projectors too; and no dot stands in a dead node."""
    with on_stage(tmp_path / "w", "run", predict=False, join_code="apple-42") as played:
        page = played.open(browser, key=True)
        for width, height in ((1280, 720), (1280, 800), (1920, 1080)):
            page.set_viewport_size({"width": width, "height": height})
            for mode in ("plain", "projector"):
                expect(page.locator("#left-picture .node.dead")).to_have_count(1)
                page.wait_for_timeout(300)  # it is drawn anew with the next picture of the screen
                page.evaluate("scrollTo(0, 0)")
                for part in SEEN_AT_ONCE:
                    box = page.locator(part).bounding_box()
                    assert box is not None, (width, mode, part)
                    assert box["y"] >= 0, (width, mode, part)
                    assert box["y"] + box["height"] <= height, (width, height, mode, part, box)
                assert dots_in_dead_nodes(page) == 0
                page.locator("#projector").click()


def dots_in_dead_nodes(page: Page) -> int:
    found: int = page.evaluate("""() => {
        const dead = [...document.querySelectorAll(".node.dead > rect")].map((rect) => rect.getBoundingClientRect());
        const dots = [...document.querySelectorAll(".shopper, .guest")].map((dot) => dot.getBoundingClientRect());
        const inside = (dot, box) => dot.left > box.left && dot.right < box.right && dot.top > box.top
            && dot.bottom < box.bottom;
        return dots.filter((dot) => dead.some((box) => inside(dot, box))).length;
    }""")
    return found


def test_a_room_is_shown_how_to_join_and_never_the_instructors_key(browser: Browser, tmp_path: Path) -> None:
    with on_stage(tmp_path / "w", "predict", join_code="apple4") as played:
        page = played.open(browser, key=True, path="/?projector=1")
        expect(page.locator("#join-button")).to_have_text("Join at 192.0.2.7:8080 code APP LE4")
        expect(page.locator("#cover-join .qr")).to_be_visible()
        page.keyboard.press("j")
        shown = page.get_by_role("dialog")
        expect(shown).to_contain_text("or open 192.0.2.7:8080 and type APP LE4")
        page.wait_for_function("document.querySelector('#join .qr').naturalWidth > 0")
        assert TOKEN not in page.content() + page.url
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert [url for url in played.asked if not url.startswith(played.home + "/")] == []
        assert played.said == []
