"""Pages as they look on a phone, a laptop and a projector, light and dark. `python -m tests.bench.pictures OUT PAGE…`

OUT is a folder; a PAGE is an HTML file. For eyes, not for a verdict: what can be told by a rule is told by the tests.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from playwright.sync_api import Browser, FloatRect, sync_playwright

from tests.browsers import NO_CHROMIUM, chromium_program

WIDTHS = (360, 390, 1280, 1920)
SCHEMES = ("light", "dark")
TALLEST_PX = 2_500
"""Of one picture: a page is cut into as many as it takes, or nobody could read its letters."""


def draw(browser: Browser, out: Path, pages: Iterable[Path]) -> Iterator[Path]:
    """Each page at each width, in both schemes; where each picture is."""
    for page in pages:
        for width in WIDTHS:
            for scheme in SCHEMES:
                yield from _draw(browser, out, page, width, scheme)


def _draw(browser: Browser, out: Path, address: Path, width: int, scheme: str) -> Iterator[Path]:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    page.goto(address.resolve().as_uri())
    wide, tall = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    name = f"{address.parent.name}-{address.stem}-{width}-{scheme}"
    for number, top in enumerate(range(0, tall, TALLEST_PX), 1):
        clip: FloatRect = {"x": 0, "y": top, "width": wide, "height": min(TALLEST_PX, tall - top)}
        drawn = out / f"{name}-{number}.png"
        page.screenshot(path=drawn, clip=clip, full_page=True)
        yield drawn
    context.close()


def main(words: Sequence[str]) -> None:
    """Draw them, and say where they are."""
    out, *pages = map(Path, words)
    out.mkdir(parents=True, exist_ok=True)
    program = chromium_program()
    assert program is not None, NO_CHROMIUM
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for drawn in draw(browser, out, pages):
            print(drawn, flush=True)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
