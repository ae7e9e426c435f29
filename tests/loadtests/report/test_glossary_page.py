"""The page of the docs says what the reports say."""

from __future__ import annotations

from pathlib import Path

from loadtests.checks import CHECKS
from loadtests.report.glossary import GLOSSARY
from loadtests.report.glossary_page import glossary_page

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "glossary.md"


def test_the_page_in_the_docs_is_up_to_date() -> None:
    assert PAGE.read_text() == glossary_page(), f"python -m loadtests.report.glossary_page > {PAGE}"


def test_it_has_every_word_and_every_loss() -> None:
    page = glossary_page()
    assert all(f"| {word} |" in page for word in GLOSSARY)
    assert all(f"| `{kind}` |" in page for kind in CHECKS)


def test_each_meaning_is_a_sentence() -> None:
    assert all(meaning.endswith(".") for meaning in GLOSSARY.values())
