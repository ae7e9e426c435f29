"""The contrast of two colours, by WCAG 2: for the tests of all that is read or looked at."""

from __future__ import annotations

import re

from loadtests.report.shell import ROOM


def report_colours() -> tuple[dict[str, str], dict[str, str]]:
    """Those of the reports by name, in light and in dark."""
    light, dark = (ROOM / "colours.css").read_text(encoding="utf-8").split("@media")
    return colours_in(light), colours_in(dark)


def colours_in(css: str) -> dict[str, str]:
    """The variables that are colours."""
    return dict(re.findall(r"--([a-z-]+):(#[0-9a-fA-F]{6})", css))


def contrast(one: str, other: str) -> float:
    """Of two colours as #rrggbb: 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
