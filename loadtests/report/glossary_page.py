"""The glossary as a page of the docs, made of the very words that the reports show.

`python -m loadtests.report.glossary_page` prints it; a test compares it with docs/reference/glossary.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from loadtests.checks import CHECKS, TALLIES
from loadtests.model.results import LossKind
from loadtests.report.glossary import GLOSSARY

GUARANTEES: dict[LossKind, str] = {
    "cart_lost": "read your writes",
    "items_lost": "read your writes",
    "cart_rolled_back": "monotonic reads",
}
"""Session guarantees that a loss breaks (Terry et al., 1994)."""


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
            *_table(("loss", "when"), ((f"`{check.kind}`", check.rule + _broken(check.kind)) for check in CHECKS)),
            "",
            "## What is counted beside losses",
            "",
            *_table(("count", "when"), ((f"`{tally.name}`", tally.rule) for tally in TALLIES)),
            "",
        ]
    )


def _broken(kind: LossKind) -> str:
    return f" Breaks *{GUARANTEES[kind]}*." if kind in GUARANTEES else ""


def _table(head: tuple[str, str], rows: Iterable[tuple[str, str]]) -> list[str]:
    return [f"| {left} | {right} |" for left, right in [head, ("---", "---"), *rows]]


if __name__ == "__main__":
    sys.stdout.write(glossary_page())
