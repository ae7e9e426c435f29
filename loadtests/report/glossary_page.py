"""The glossary as a page of the docs: the very words that the reports show, and those of the other pages.

`python -m loadtests.report.glossary_page` prints it; a test compares it with docs/reference/glossary.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from loadtests.checks import CHECKS, TALLIES, Check
from loadtests.report.glossary import GLOSSARY

_BESIDE = {
    "application": "What is under test: one of the twins, or anybody’s web application, described in one file.",
    "campaign": "Many runs under one question: a matrix, repeats, conformance.",
    "effect": "What a fault does to sessions, in a small closed vocabulary.",
    "episode": "A part of the lesson: a scenario whose faults people make, with a prediction before it.",
    "finding": "A refuted prediction whose cause is known; or what a balancer does and its documentation does not say.",
    "grade": (
        "How much can be seen of an application: A, by shoppers, balancer and nodes; B, by shoppers and balancer; "
        "C, by shoppers alone."
    ),
    "guest": "A person with a browser in the shops of a workshop; in no shopper’s books.",
    "round": "A run of a workshop: two architectures at the same time, and people who choose the faults.",
    "scenario": "One file: a question, a load, its faults, and what is predicted.",
    "session life": (
        "Where a session is held, since when, when it was last written, until when it is good, and what ended it."
    ),
    "twins": "The two shops, which differ in one file: stateful_app and stateless_app.",
}
"""What these pages speak of, and a run's report does not."""


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
            "## Words that no report needs",
            "",
            *_table(("word", "meaning"), _BESIDE.items()),
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
