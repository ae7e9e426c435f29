"""What the dashboard's page says of numbers and causes: from the same tables as the report and the checks."""

from __future__ import annotations

from typing import NamedTuple

from loadtests.checks import CAUSES
from loadtests.report.glossary import definitions

FOUR_NUMBERS = ("logged-out", "carts-lost", "failed", "unknown")
"""Those that stand above each column."""


class Meaning(NamedTuple):
    """A word of the page and what it means."""

    key: str
    word: str
    meaning: str


class Meanings(NamedTuple):
    """All that the page's help explains."""

    numbers: tuple[Meaning, ...]
    causes: tuple[Meaning, ...]


def meanings() -> Meanings:
    """For the template `dashboard.html`."""
    found = definitions()
    return Meanings(
        numbers=tuple(Meaning(key, *found[key]) for key in FOUR_NUMBERS),
        causes=tuple(Meaning(cause, _spoken(cause), why) for cause, why in CAUSES.items()),
    )


def _spoken(cause: str) -> str:
    return cause.replace("_", " ")
