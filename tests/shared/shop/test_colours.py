"""Both shops can be read in light and in dark: the contrasts of WCAG 2.2 AA, computed from the style sheet itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import shared.shop
from tests.contrast import contrast

SHEET = (Path(shared.shop.__file__).parent / "static" / "shop.css").read_text()
TEXTS = [
    ("text", "page"), ("text", "sheet"), ("text", "tint"), ("soft", "page"), ("soft", "sheet"), ("accent", "sheet"),
    ("accent", "tint"), ("accent", "page"), ("on-accent", "accent"), ("good", "sheet"), ("bad", "sheet"),
]  # fmt: skip
GRAPHICS = [("ink", "tint"), ("a", "sheet"), ("a", "page"), ("soft", "page")]


def palette(twin: str, scheme: str) -> dict[str, str]:
    """Every colour that this twin has in this scheme, as the browser would cascade it."""
    light, _, dark = SHEET.partition("@media (prefers-color-scheme: dark) {")
    dark = dark.partition("\n}\n")[0]
    colours: dict[str, str] = {}
    for part in (light, dark) if scheme == "dark" else (light,):
        for selector in (r":root", rf'\[data-twin="{twin}"\]'):
            for block in re.findall(rf"{selector} \{{(.*?)\}}", part, re.DOTALL):
                colours.update(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    return colours


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("twin", ["stateful", "stateless"])
def test_contrasts(twin: str, scheme: str) -> None:
    colours = palette(twin, scheme)
    poor = {
        f"{front} on {back}": round(contrast(colours[front], colours[back]), 2)
        for pairs, least in ((TEXTS, 4.5), (GRAPHICS, 3.0))
        for front, back in pairs
        if contrast(colours[front], colours[back]) < least
    }
    assert poor == {}


def test_the_twins_wear_their_own_colours() -> None:
    assert (palette("stateful", "light")["a"], palette("stateless", "light")["a"]) == ("#d55e00", "#0072b2")
