"""The glossary as a page of the docs, made of the very words that the reports show.

`python -m loadtests.report.glossary_page` prints it; a test compares it with docs/reference/glossary.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from loadtests.checks import CHECKS, TALLIES, Check
from loadtests.report.glossary import GLOSSARY


def glossary_page() -> str:
    """docs/reference/glossary.md."""
    return "\n".join(
        [
            "# Glossary",
            "",
            "One word for one thing, everywhere: in the code, the files, the reports and these pages. Made by",
            "`python -m loadtests.report.glossary_page`.",
            "",
            *_table(("word", "meaning"), GLOSSARY.items()),
            "",
            "## Losses",
            "",
            "Some break a session guarantee (Terry et al., *Session Guarantees for Weakly Consistent Replicated",
            "Data*, 1994).",
            "",
            *_table(("loss", "when"), ((f"`{check.kind}`", check.rule + _broken(check)) for check in CHECKS.values())),
            "",
            "## What is counted beside losses",
            "",
            *_table(("count", "when"), ((f"`{tally.name}`", tally.rule) for tally in TALLIES.values())),
            "",
        ]
    )


def _broken(check: type[Check]) -> str:
    return f" Breaks *{check.breaks}*." if check.breaks else ""


def _table(head: tuple[str, str], rows: Iterable[tuple[str, str]]) -> list[str]:
    return [f"| {left} | {right} |" for left, right in [head, ("---", "---"), *rows]]


if __name__ == "__main__":
    sys.stdout.write(glossary_page())
