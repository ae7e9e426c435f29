"""The scorecard as text and as one HTML page, in the report's own style."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec

from loadtests.campaigns.scorecard.scorecard_run import STATES, Scorecard
from loadtests.report.shell import PageShell
from loadtests.report.tables import Table, Text
from shared.whole_file import write_whole

JSON_FILE, PAGE_FILE = "scorecard.json", "scorecard.html"
SHELL = PageShell(Path(__file__).parent, style=("scorecard.css",))
MARKS = {"pass": "pass", "fail": "FAIL", "not applicable": "–"}


def write_scorecard(folder: Path, card: Scorecard) -> tuple[Path, Path]:
    """Write the document and the page; where they are."""
    document, page = folder / JSON_FILE, folder / PAGE_FILE
    write_whole(document, msgspec.json.format(msgspec.json.encode(card)) + b"\n")
    failed = {state: _failures(card, state) for state in STATES}
    write_whole(
        page, SHELL.page("scorecard.html.j2", card=card, states=STATES, marks=MARKS, answer=answer(card), failed=failed)
    )
    return document, page


def answer(card: Scorecard) -> str:
    """One sentence: how many cells there are, and how they went."""
    words: list[str] = [
        finding.word for cells in card.architectures.values() for found in cells.values() for finding in found.values()
    ]
    count = Counter(words)
    others = f"{count['fail']} fail, {count['not applicable']} are not applicable"
    return f"{count['pass']} of {len(words)} cells pass, {others}."


def tables(card: Scorecard) -> dict[str, Table]:
    """One for each state: requirements by architectures."""
    return {state: _table(card, state) for state in STATES}


def in_text(card: Scorecard) -> str:
    """For a terminal; the witnesses of what fails below each table."""
    parts = []
    for state, table in tables(card).items():
        parts += [state, Text().write(table), ""]
        parts += [f"  {line}" for line in _failures(card, state)] + [""]
    return "\n".join(parts).rstrip()


def _table(card: Scorecard, state: str) -> Table:
    names = tuple(card.architectures)
    rows = tuple(
        (number, *(MARKS[card.architectures[name][state][number].word] for name in names))
        for number in card.requirements
    )
    return Table(("V7", *names), rows)


def _failures(card: Scorecard, state: str) -> list[str]:
    return [
        f"{number} {name}: {finding.witness}"
        for name, cells in card.architectures.items()
        for number, finding in cells[state].items()
        if finding.word == "fail"
    ]
