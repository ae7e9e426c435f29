"""A summary in Markdown, for a pull request: the answer, the numbers, what failed, and how to run it again.

GitHub's Markdown. What a person wrote stands there as text: every sign that could make a link, a table cell, HTML or a
mention of somebody is escaped.
"""

import re
from collections.abc import Iterator

from loadtests.model.results import Prediction, Threshold, VerdictWord
from loadtests.model.wording import fails_if, said
from loadtests.report.exports.judged import JudgedRun, one_line
from loadtests.report.tables import Markdown, Table
from loadtests.report.terminal import table_of, unseen

MARKS: dict[VerdictWord, str] = {"as predicted": "✅", "not as predicted": "❌", "inconclusive": "⚠️"}
# All of ASCII's punctuation: what CommonMark lets a backslash escape.
_SIGNS = re.compile(r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]")
_HARMLESS = frozenset("\"%',-./:;?()")
"""Signs that mean nothing in the middle of a line."""
_LINKS_ITSELF = re.compile(r"(?i)(https?|ftp|mailto|xmpp)(:)|(www)(\.)|([\w.+-])(@)(?=\w)|(@)(?=\w)")
_APART = "\u200b"
"""Nobody sees it; but what it stands in is no address, no link and no mention of somebody."""


def markdown(run: JudgedRun) -> bytes:
    """The document."""
    return ("\n\n".join(part for part in _parts(run) if part) + "\n").encode()


def _parts(run: JudgedRun) -> Iterator[str]:
    results = run.results
    mark = "❌" if run.fired else MARKS[results.verdict]
    ended = f", and {_count(len(run.fired), 'threshold')} fired" if run.fired else ""
    yield f"## {mark} Twinshop: {results.verdict}{ended}"
    yield f"**{text(results.question)}** {text(results.answer)}"
    head, *rows = table_of(results)
    told = tuple((code(name), *map(text, cells)) for name, *cells in rows)
    yield Markdown().write(Table(tuple(map(one_line, head)), told))
    yield "\n".join(f"- {code(name)} was never begun: the run ended before." for name in run.missing)
    yield _reasons(run)
    yield "\n".join(f"- {text(line)}" for line in unseen(results))
    yield _thresholds(run)
    yield _predictions(run)
    yield _origin(run)
    yield "Run it again:"
    yield block(run.command, "sh")


def _reasons(run: JudgedRun) -> str:
    return "\n".join(
        f"- {code(name)}, {result.verdict}: {text(reason)}"
        for name, result in run.results.architectures.items()
        for reason in result.reasons
    )


def _thresholds(run: JudgedRun) -> str:
    """All of them: a reader wants to know what was guarded, too."""
    judged = [(name, it) for name, result in run.results.architectures.items() for it in result.thresholds]
    fired = set(run.fired)
    rows = tuple((code(name), text(fails_if(it)), _ended(it, (name, it) in fired)) for name, it in judged)
    return Markdown().write(Table(("architecture", "threshold", ""), rows))


def _ended(threshold: Threshold, counts: bool) -> str:
    if not threshold.fired:
        return "✅ did not fire"
    return "❌ fired" if counts else "⚠️ fired, but the experiment did not happen"


def _predictions(run: JudgedRun) -> str:
    found = [(name, it) for name, result in run.results.architectures.items() for it in result.predictions]
    if not found:
        return ""
    held = sum(it.holds for _, it in found)
    rows = tuple((code(name), code(it.measure), text(said(it)), f"{it.measured:g}", _held(it)) for name, it in found)
    table = Table(("architecture", "measure", "predicted", "measured", ""), rows)
    return (
        f"<details><summary>{held} of {_count(len(found), 'prediction')} held</summary>\n\n"
        f"{Markdown().write(table)}\n\n</details>"
    )


def _held(prediction: Prediction) -> str:
    return "✅ held" if prediction.holds else "❌ did not hold"


def _origin(run: JudgedRun) -> str:
    results, provenance = run.results, run.provenance
    balancer = f", balancer {code(provenance.balancer)}" if provenance.balancer else ""
    return (
        f"Scenario {code(results.scenario)}, seed {results.seed}, {_count(results.shoppers, 'shopper')} on "
        f"{_count(results.nodes, 'node')}, engine {code(results.engine)}{balancer}, "
        f"Twinshop {text(provenance.twinshop)}, started {text(provenance.started)}. Plan {code(results.plan_sha256)}."
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


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
