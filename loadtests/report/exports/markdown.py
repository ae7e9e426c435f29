"""A summary in Markdown, for a pull request: the answer, the numbers, what failed, and how to run it again.

GitHub's Markdown. What a person wrote stands there as text: every sign that could make a link, a table cell, HTML or a
mention of somebody is escaped.
"""

import re
from functools import cache
from pathlib import Path

from jinja2 import Template

from loadtests.model.results import Prediction, Threshold, VerdictWord
from loadtests.model.wording import fails_if, said
from loadtests.report.exports.judged import JudgedRun, one_line
from loadtests.report.markdown_pages import markdown_pages
from loadtests.report.terminal import table_of, unseen

MARKS: dict[VerdictWord, str] = {"as predicted": "✅", "not as predicted": "❌", "inconclusive": "⚠️"}
# All of ASCII's punctuation: what CommonMark lets a backslash escape.
_SIGNS = re.compile(r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]")
_HARMLESS = frozenset("\"%',-./:;?()")
"""Signs that mean nothing in the middle of a line."""
_LINKS_ITSELF = re.compile(r"(?i)(https?|ftp|mailto|xmpp)(:)|(www)(\.)|([\w.+-])(@)(?=\w)|(@)(?=\w)")
_BLANK_LINES = re.compile(r"\n{3,}")  # around what there is not
_APART = "\u200b"
"""Nobody sees it; but what it stands in is no address, no link and no mention of somebody."""


def markdown(run: JudgedRun) -> bytes:
    """The document."""
    results = run.results
    head, *rows = table_of(results)
    predictions = [(name, it) for name, result in results.architectures.items() for it in result.predictions]
    page = _template().render(
        run=run,
        mark="❌" if run.fired else MARKS[results.verdict],
        head=tuple(map(one_line, head)),
        rows=[(code(name), *map(text, cells)) for name, *cells in rows],
        unseen=unseen(results),
        thresholds=_thresholds(run),
        held=sum(it.holds for _, it in predictions),
        predictions=[_prediction(name, it) for name, it in predictions],
    )
    return _BLANK_LINES.sub("\n\n", page).encode()


@cache
def _template() -> Template:
    pages = markdown_pages(Path(__file__).parent)
    pages.filters.update(text=text, code=code, block=block)
    return pages.get_template("summary.md.j2")


def _thresholds(run: JudgedRun) -> list[tuple[str, ...]]:
    """All of them: a reader wants to know what was guarded, too."""
    judged = [(name, it) for name, result in run.results.architectures.items() for it in result.thresholds]
    fired = set(run.fired)
    return [(code(name), text(fails_if(it)), _ended(it, (name, it) in fired)) for name, it in judged]


def _ended(threshold: Threshold, counts: bool) -> str:
    if not threshold.fired:
        return "✅ did not fire"
    return "❌ fired" if counts else "⚠️ fired, but the experiment did not happen"


def _prediction(name: str, it: Prediction) -> tuple[str, ...]:
    ended = "✅ held" if it.holds else "❌ did not hold"
    return code(name), code(it.measure), text(said(it)), f"{it.measured:g}", ended


def text(words: str) -> str:
    """Words that are shown as they are."""
    apart = _LINKS_ITSELF.sub(_keep_apart, one_line(words))
    return _SIGNS.sub(lambda sign: sign[0] if sign[0] in _HARMLESS else f"\\{sign[0]}", apart)


def code(name: str) -> str:
    """A name as code; the fence is longer than any row of backticks in it."""
    words = one_line(name)
    fence = "`" * (max(map(len, re.findall("`+", words)), default=0) + 1)
    padded = f" {words} " if words.startswith("`") or words.endswith("`") else words
    return f"{fence}{padded}{fence}" if words else ""


def block(words: str, language: str) -> str:
    """A line of code in a block of its own."""
    line = one_line(words)
    fence = "`" * max(3, max(map(len, re.findall("`+", line)), default=0) + 1)
    return f"{fence}{language}\n{line}\n{fence}"


def _keep_apart(found: re.Match[str]) -> str:
    first, *rest = [part for part in found.groups() if part]
    return f"{first}{_APART}{''.join(rest)}"
