"""A comparison as one HTML page, in the report's own style: the numbers first, then everything that differs.

Pure: the same comparison gives the same bytes. It names no winner.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from loadtests.campaigns.comparison.comparison import RunComparison
from loadtests.campaigns.comparison.differences import Numbers
from loadtests.campaigns.comparison.page import BY_CHANCE, numbers_table
from loadtests.campaigns.comparison.side import FactRow, different
from loadtests.checks import MEASURES
from loadtests.model.measures import spoken
from loadtests.report.palette import side
from loadtests.report.shell import PageShell
from loadtests.report.tables import Table

FILE = Path("runs/comparison.html")  # if nobody says otherwise: not into what is under version control
TOLD = "logged_out"
MOST_TOLD = 4  # architectures of which the answer tells

SHELL = PageShell(Path(__file__).parent, style=("comparison.css",))


class ArchitectureNumbers(msgspec.Struct, frozen=True):
    """One architecture's table."""

    name: str
    css: str
    table: Table
    hidden: int
    """Measures that are 0 in each run, or were not measured."""


class FactTable(msgspec.Struct, frozen=True):
    """Facts of one kind: those that differ, and how many are the same."""

    title: str
    table: Table
    same: Table


def comparison_html(comparison: RunComparison) -> bytes:
    """The page."""
    labels = [run.label for run in comparison.runs]
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
        numbers=tuple(_numbers(name, found) for name, found in comparison.architectures.items()),
        facts=tuple(_facts(title, rows, labels) for title, rows in facts if rows),
        by_chance=BY_CHANCE.split("`"),
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


def _numbers(name: str, found: Numbers) -> ArchitectureNumbers:
    return ArchitectureNumbers(name, side(name), *numbers_table(found, ("Measure", "Verdict"), _named))


def _named(measure: str) -> str:
    known = MEASURES.get(measure)
    if known is None:
        return spoken(measure).capitalize()
    return f"{known.head}, {known.unit}" if known.unit else known.head


def _facts(title: str, rows: Sequence[FactRow], labels: Sequence[str]) -> FactTable:
    head = ("What", *labels)
    apart = different(rows)
    same = tuple((row.what, row.values[0]) for row in rows if row.same)
    return FactTable(
        title, Table(head, tuple((row.what, *row.values) for row in apart)), Table(("What", "In each"), same)
    )
