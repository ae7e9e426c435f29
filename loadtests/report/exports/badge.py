"""A badge (SVG) that says how a run ended: one file, no font or script from elsewhere.

It says so in words and with a sign, never by colour alone; whoever cannot see it is read the same. White on each of its
colours has a contrast of at least 4.5 to 1 (WCAG 1.4.3).
"""

from pathlib import Path

from loadtests.model.results import VerdictWord
from loadtests.report.exports.judged import JudgedRun, one_line
from loadtests.report.shell import PageShell
from shared.plurals import counted

LABEL = "#454545"
COLOURS = {"good": "#1a7f37", "bad": "#b3261e", "unclear": "#6b5a00"}
ENDINGS: dict[VerdictWord, tuple[str, str]] = {
    "as predicted": ("✓", "good"),
    "not as predicted": ("✗", "bad"),
    "inconclusive": ("?", "unclear"),
}
MOST_LETTERS = 40
_LETTER = 6.6
"""Mean width of a letter in pixels, at 11 pixels; `textLength` fits the text to its place, whatever the font."""
_PAD = 6
SHELL = PageShell(Path(__file__).parent)


def badge(run: JudgedRun) -> bytes:
    """The document."""
    label = _short(f"twinshop {run.results.scenario}")
    sign, mood = ENDINGS[run.results.verdict]
    words: str = run.results.verdict
    # A threshold is what decides how the run ends, whatever was predicted.
    if run.fired:
        sign, mood = ENDINGS["not as predicted"]
        words = f"{counted(len(run.fired), 'threshold')} fired"
    return _drawn(label, f"{sign} {words}", COLOURS[mood], f"{one_line(f'twinshop {run.results.scenario}')}: {words}")


def _short(label: str) -> str:
    line = one_line(label)
    return line if len(line) <= MOST_LETTERS else f"{line[: MOST_LETTERS - 1]}…"


def _drawn(label: str, message: str, colour: str, title: str) -> bytes:
    left, right = _width(label), _width(message)
    parts = ((0, left, LABEL, label), (left, right, colour, message))
    return f"{SHELL.html('badge.svg.j2', width=left + right, title=title, parts=parts, pad=_PAD)}\n".encode()


def _width(words: str) -> int:
    return round(_LETTER * len(words)) + 2 * _PAD
