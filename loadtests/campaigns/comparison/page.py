"""A comparison for people: on a terminal, facts in columns, long ones below each other, numbers with their differences;
and as one HTML page, in the report's own style, the numbers first, then everything that differs.

Pure: the same comparison gives the same bytes. It names no winner.
"""

import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click
import msgspec

from loadtests.campaigns.comparison.comparison import Number, Numbers, RunComparison
from loadtests.campaigns.comparison.side import NONE, FactRow, different
from loadtests.checks import MEASURES
from loadtests.model.measures import spoken
from loadtests.report.shell import PageShell, side
from loadtests.report.tables import Table, Text

FILE = Path("runs/comparison.html")  # if nobody says otherwise: not into what is under version control
TOLD = "logged_out"
MOST_TOLD = 4  # architectures of which the answer tells
LONG = 24  # values longer than this do not stand in a column
DIFFERS, SAME = "≠", " "
BY_CHANCE = "Single runs differ by chance, too. Nothing here says which is better."
REPEATS = 20  # enough for an interval that says something; how many are worth their time, the reader decides
SHELL = PageShell(Path(__file__).parent, style=("comparison.css",))


def comparison_page(comparison: RunComparison) -> str:
    """What a person sees of a comparison."""
    labels = [run.label for run in comparison.runs]
    lines = [
        *(f"{run.label}  {run.asked}" for run in comparison.runs),
        *_section("asked", comparison.asked, labels),
        *_section("where", comparison.environment, labels),
        *_differing("packages and servers", comparison.packages, labels),
        *_differing("settings", comparison.settings, labels),
    ]
    if comparison.scenario:
        lines += _section("scenario files: what differs", comparison.scenario, labels)
    if comparison.plan:
        lines += _section("plans: what differs", comparison.plan, labels)
    if comparison.comparable:
        for name, found in comparison.architectures.items():
            lines += _numbers(name, found)
    lines += ["", *(f"only {label} measured {name}" for name, label in comparison.alone.items()), *comparison.notes]
    lines += [f"not compared: {why}" for why in comparison.why] or [BY_CHANCE]
    if comparison.comparable and (again := repeated(comparison)):
        lines.append(f"next     {again}   (by how much they differ by chance)")
    return "\n".join(lines)


def repeated(comparison: RunComparison) -> str:
    """The command that repeats the first run; "" for a round of a workshop, which none does.

    What a run's folder calls its command may be somebody else's words: nobody is told to paste another program's.
    """
    words = shlex.split(next(row.values[0] for row in comparison.environment if row.what == "command"))
    if "--control" in words:  # repeats have their own
        at = words.index("--control")
        words[at : at + 2] = []
    return shlex.join([*words, "--repeat", str(REPEATS)]) if words[:2] == ["twinshop", "run"] else ""


def _section(title: str, facts: Sequence[FactRow], labels: Sequence[str]) -> Iterator[str]:
    yield ""
    short = [row for row in facts if all(len(value) <= LONG for value in row.values)]
    first = max(len(row.what) for row in facts)
    widths = [max([len(label), *(len(row.values[at]) for row in short)]) for at, label in enumerate(labels)]
    heads = "  ".join(label.ljust(width) for label, width in zip(labels, widths, strict=True))
    # Padded before it is made bold: what makes it bold has letters, and no width.
    yield f"{click.style(title.ljust(first + 4), bold=True)}  {heads}".rstrip()
    for row in facts:
        mark = SAME if row.same else DIFFERS
        if row in short:
            cells = "  ".join(value.ljust(width) for value, width in zip(row.values, widths, strict=True))
            yield f"  {mark} {row.what:<{first}}  {cells}".rstrip()
        elif row.same:
            yield f"  {mark} {row.what:<{first}}  {row.values[0]}"
        else:
            yield f"  {mark} {row.what}"
            yield from (f"      {label}  {value}" for label, value in zip(labels, row.values, strict=True))


def _differing(title: str, facts: Sequence[FactRow], labels: Sequence[str]) -> Iterator[str]:
    """Of long lists only what differs; how many are the same is said."""
    found = different(facts)
    same = f"{len(facts) - len(found)} are the same"
    if not found:
        yield ""
        yield f"{click.style(title, bold=True)}: all {same}"
        return
    yield from _section(title, found, labels)
    yield f"    ({same})"


def _numbers(name: str, found: Numbers) -> Iterator[str]:
    told, hidden = numbers_table(found, ("", "verdict"), str)
    yield ""
    yield click.style(name, bold=True)
    yield Text(indent=4).write(msgspec.structs.replace(told, align="<>"))
    if hidden:
        yield f"    ({hidden} more are 0 in each, or were not measured)"


def numbers_table(found: Numbers, words: tuple[str, str], named: Callable[[str], str]) -> tuple[Table, int]:
    """Verdicts, then measures; and how many of these say nothing. `words`: for the head and for the verdicts."""
    shown = [it for it in found.measures if _worth_a_row(it)]
    first, *others = found.runs
    head = (words[0], *found.runs, *(f"{label} − {first}" for label in others))
    verdicts = (words[1], *found.verdicts, *("" for _ in others))
    rows = ((named(it.measure), *_cells(it)) for it in shown)
    return Table(head, (verdicts, *rows)), len(found.measures) - len(shown)


def _worth_a_row(number: Number) -> bool:
    """It says something: it was predicted, or is not 0 in each run."""
    return number.predicted or any(number.values) or len(set(number.values)) > 1


def _cells(number: Number) -> tuple[str, ...]:
    """Each run's value, and each further run's difference from the first."""
    values = (NONE if value is None else _text(value) for value in number.values)
    apart = (NONE if it is None else "=" if it == 0 else _text(it, sign="+") for it in number.differences)
    return (*values, *apart)


def _text(value: float, sign: str = "") -> str:
    """Whole numbers whole, others with as many digits as a person reads."""
    text = f"{value:{sign},d}" if isinstance(value, int) else f"{value:{sign},.3f}".rstrip("0").rstrip(".")
    return text.replace("-", "−")


# --- the page ---------------------------------------------------------------------------------------------------------


def comparison_html(comparison: RunComparison) -> bytes:
    """The page."""
    labels = [run.label for run in comparison.runs]
    numbers = comparison.architectures.items()
    facts = (
        ("What was asked", comparison.asked),
        ("Plans", comparison.plan),
        ("Scenario files", comparison.scenario),
        ("Where it ran", comparison.environment),
        ("Packages and servers", comparison.packages),
        ("Settings", comparison.settings),
    )
    return SHELL.page(
        "comparison.html.j2",
        comparison=comparison,
        answer=_answer(comparison),
        numbers={name: numbers_table(found, ("Measure", "Verdict"), _named) for name, found in numbers},
        facts={title: _apart_and_same(rows, labels) for title, rows in facts if rows},
        side=side,
        by_chance=BY_CHANCE,
        repeated=repeated(comparison),
    )


def _answer(comparison: RunComparison) -> str:
    if not comparison.comparable:
        return f"Not compared: {'; '.join(comparison.why)}."
    told = []
    for name, found in list(comparison.architectures.items())[:MOST_TOLD]:
        values = next(it.values for it in found.measures if it.measure == TOLD)
        told.append(f"{name} {' and '.join('–' if value is None else f'{value:g}' for value in values)}")
    labels = " and ".join(run.label for run in comparison.runs)
    return f"The same was done to the same shoppers. Logged out in {labels}: {'; '.join(told)}."


def _named(measure: str) -> str:
    known = MEASURES.get(measure)
    if known is None:
        return spoken(measure).capitalize()
    return f"{known.head}, {known.unit}" if known.unit else known.head


def _apart_and_same(rows: Sequence[FactRow], labels: Sequence[str]) -> tuple[Table, Table]:
    """Facts that differ, and those that are the same."""
    apart = tuple((row.what, *row.values) for row in different(rows))
    same = tuple((row.what, row.values[0]) for row in rows if row.same)
    return Table(("What", *labels), apart), Table(("What", "In each"), same)
