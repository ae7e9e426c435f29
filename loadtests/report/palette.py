"""The colours of a report, in one place: light and dark. Blue is stateless, vermillion stateful; all else is ink.

Neither is ever the only sign: a shopper's states differ in thickness, outcomes in pattern, series in dash and mark.
`tests/loadtests/report/test_palette.py` proves the contrasts: 3:1 for what is drawn, 4.5:1 for what is read.
"""

from __future__ import annotations

from compose.architectures import ARCHITECTURES

STATELESS = "#0072B2"
STATEFUL = "#D55E00"

LIGHT = {
    "paper": "#fcfbf8",
    "card": "#ffffff",
    "ink": "#1a1c1f",
    "muted": "#5b6068",
    "line": "#dcd9d2",
    "edge": "#8a8d92",
    "band": "#f0ede5",
    "stateless": STATELESS,
    "stateful": STATEFUL,
    "stateless-pale": "#b9d9ec",
    "stateful-pale": "#f6d2b5",
    "link": "#005c90",
}

# The stateful colour is the same in both: it has its contrast on white and on black.
DARK = {
    "paper": "#111316",
    "card": "#191c20",
    "ink": "#eceae5",
    "muted": "#a3a8b0",
    "line": "#34383e",
    "edge": "#7b8087",
    "band": "#23272d",
    "stateless": "#2a8fcb",
    "stateful": STATEFUL,
    "stateless-pale": "#1d4059",
    "stateful-pale": "#5a3418",
    "link": "#7cc0ea",
}


def side(architecture: str) -> str:
    """The CSS class that gives an architecture of the twins its colour; "": another application's has none.

    Another mark is never needed, since each has its own row or column.
    """
    known = ARCHITECTURES.get(architecture)
    return known.app.removesuffix("_app") if known else ""


def variables(colours: dict[str, str]) -> str:
    """The colours as CSS variables."""
    return ";".join(f"--{name}:{value}" for name, value in colours.items())
