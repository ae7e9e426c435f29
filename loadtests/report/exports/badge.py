"""A badge (SVG) that says how a run ended: one file, no font or script from elsewhere.

It says so in words and with a sign, never by colour alone; whoever cannot see it is read the same. White on each of its
colours has a contrast of at least 4.5 to 1 (WCAG 1.4.3).
"""

from markupsafe import Markup

from loadtests.model.results import VerdictWord
from loadtests.report.exports.judged import JudgedRun, one_line

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
_SVG = Markup(
    '<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" viewBox="0 0 {width} 20" role="img" '
    'aria-label="{title}"><title>{title}</title>{boxes}<g fill="#fff" '
    'font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" aria-hidden="true">{texts}</g></svg>\n'
)
_BOX = Markup('<rect x="{x}" width="{width}" height="20" fill="{fill}" />')
_TEXT = Markup('<text x="{x}" y="14" textLength="{length}" lengthAdjust="spacingAndGlyphs">{words}</text>')


def badge(run: JudgedRun) -> bytes:
    """The document."""
    label = _short(f"twinshop {run.results.scenario}")
    sign, mood = ENDINGS[run.results.verdict]
    words: str = run.results.verdict
    # A threshold is what decides how the run ends, whatever was predicted.
    if run.fired:
        sign, mood = ENDINGS["not as predicted"]
        words = f"{len(run.fired)} threshold{'' if len(run.fired) == 1 else 's'} fired"
    return _drawn(label, f"{sign} {words}", COLOURS[mood], f"{one_line(f'twinshop {run.results.scenario}')}: {words}")


def _short(label: str) -> str:
    line = one_line(label)
    return line if len(line) <= MOST_LETTERS else f"{line[: MOST_LETTERS - 1]}…"


def _drawn(label: str, message: str, colour: str, title: str) -> bytes:
    left, right = _width(label), _width(message)
    parts = ((0, left, LABEL, label), (left, right, colour, message))
    boxes = (_BOX.format(x=x, width=width, fill=fill) for x, width, fill, _ in parts)
    texts = (_TEXT.format(x=x + _PAD, length=width - 2 * _PAD, words=words) for x, width, _, words in parts)
    drawn = _SVG.format(width=left + right, title=title, boxes=Markup("").join(boxes), texts=Markup("").join(texts))
    return drawn.encode()


def _width(words: str) -> int:
    return round(_LETTER * len(words)) + 2 * _PAD
