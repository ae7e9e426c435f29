"""The lesson's pages, and what of them can be held against numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from loadtests.workshop.episode import Episode
from loadtests.workshop.rehearsal.blocks import Block, blocks
from loadtests.workshop.rehearsal.known import known_numbers
from loadtests.workshop.rehearsal.promises import Broken, Promise, broken, promises, unmarked
from shared.errors import UsageError

DOCS = Path(__file__).parents[3] / "docs"
TUTORIAL = DOCS / "tutorial"
MEASURED = DOCS / "explanation" / "measured.md"
FREE_OF_MARKS = ("quiz.md",)
"""Their numbers are those of questions and answers, and claim nothing."""


class Page(msgspec.Struct, frozen=True):
    """One page."""

    path: Path

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"docs/tutorial/{self.path.name}"

    def promises(self) -> tuple[Promise, ...]:
        """All marks.

        Raises:
            ValueError: one cannot be read.
        """
        return tuple(promises(self.path, self.name))

    def blocks(self) -> tuple[Block, ...]:
        """All commands."""
        return tuple(blocks(self.path.read_text(), self.name))


def all_pages(tutorial: Path = TUTORIAL) -> tuple[Page, ...]:
    """The pages of the lesson.

    Raises:
        UsageError: there are none: Twinshop was installed without its documentation.
    """
    found = tuple(Page(path) for path in sorted(tutorial.glob("*.md")))
    if not found:
        raise UsageError(
            f"{tutorial} holds no pages",
            why="the lesson is rehearsed from its pages, and they are not installed with the program",
            next_step="rehearse in a checkout of the project",
        )
    return found


def page_of(episode: Episode, tutorial: Path = TUTORIAL) -> Page:
    """An episode's page.

    Raises:
        UsageError: it has none.
    """
    path = tutorial / f"{episode.number}-{episode.name}.md"
    if not path.is_file():
        raise UsageError(f"episode {episode.number} has no page", why=f"there is no {path}", next_step=f"write {path}")
    return Page(path)


def broken_without_a_round(pages: tuple[Page, ...], known: Mapping[str, float]) -> Iterator[Broken]:
    """Numbers without a mark, and marks that need no round and did not come true."""
    for page in pages:
        if page.path.name not in FREE_OF_MARKS:
            yield from unmarked(page.path, page.name)
        for promise in page.promises():
            if not of_a_round(promise) and (bad := broken(promise, known)) is not None:
                yield bad


def broken_by_a_round(page: Page, values: Mapping[str, float], *, numbers: bool) -> Iterator[Broken]:
    """What a page says of the round that was played, and what did not come true.

    Without `numbers` only sentences are held against it: the numbers in the texts are those of the episode as it is,
    and this round was smaller.
    """
    for promise in page.promises():
        if of_a_round(promise) and (numbers or promise.number is None):
            bad = broken(promise, values)
            if bad is not None:
                yield bad


def of_a_round(promise: Promise) -> bool:
    """Whether a round must be played to know."""
    return promise.of_a_round or promise.formula in ("U", "N")


def known(measured_page: Path = MEASURED) -> dict[str, float]:
    """Numbers that need no round."""
    return known_numbers(measured_page.read_text())
