"""The lesson's pages: their commands and what these show, and the numbers that they quote.

In shown output `…` stands for anything within a line, and a line of its own for any lines.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from loadtests.planning.scenario_file import all_scenarios
from loadtests.workshop.episode import Episode
from loadtests.workshop.episode_file import load_episodes
from loadtests.workshop.rehearsal.promises import BrokenPromise, Promise, broken, promises, unmarked
from shared.errors import UsageError

_FENCE = re.compile(r"^```(\w*)")
ANYTHING = "…"
_SCENARIO = re.compile(r"\[([a-z0-9-]+)\]\(")
_MEASURED = re.compile(r"\d[\d,]*(?:\.\d+)?(?=\s)")
DOCS = Path(__file__).parents[3] / "docs"
TUTORIAL = DOCS / "tutorial"
MEASURED = DOCS / "explanation" / "measured.md"
FREE_OF_MARKS = ("quiz.md",)  # its numbers are those of questions and answers, and claim nothing


class PageCommand(msgspec.Struct, frozen=True):
    """One command of a page."""

    place: str
    """File and line."""
    words: tuple[str, ...]
    output: tuple[str, ...]
    """As the page shows it; none: it shows nothing."""

    def shows(self, said: str) -> bool:
        """Whether the page shows what the command said."""
        return not self.output or _agree(self.output, said.strip().splitlines())


def blocks(text: str, name: str) -> Iterator[PageCommand]:
    """The commands of a page, in order; `name` is what messages call it."""
    console, command, place = False, "", ""
    output: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        fence = _FENCE.match(line)
        starts = console and line.startswith("$ ")
        if command and (fence or starts):  # what a command shows ends at the next one, or with the block
            # With comments: `$ twinshop check 2   # what has it shown?` is typed, and pasted, as it stands.
            yield PageCommand(place, tuple(shlex.split(command, comments=True)), tuple(output))
            command, output = "", []
        if fence:
            console = not console and fence[1] == "console"
        elif starts:
            command, place = line[2:], f"{name}:{number}"
        elif command:
            output.append(line.rstrip())


def _agree(shown: Sequence[str], said: Sequence[str]) -> bool:
    """Line by line; a line of `…` alone stands for any number of lines, none among them."""
    if not shown:
        return not said
    if shown[0].strip() == ANYTHING:
        return any(_agree(shown[1:], said[skipped:]) for skipped in range(len(said) + 1))
    return bool(said) and _alike(shown[0], said[0]) and _agree(shown[1:], said[1:])


def _alike(shown: str, said: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in shown.split(ANYTHING))
    return re.fullmatch(pattern, said.rstrip()) is not None


def known_numbers(measured_page: str) -> dict[str, float]:
    """Numbers that texts quote and that no round has to be played for; `measured_page`: docs/explanation/measured.md.

    node-kill/redis           what that page says of that scenario and architecture
    node-kill/shoppers        of the scenario
    minutes/2, shoppers/2, seconds/2     of episode 2
    """
    found = dict(_cells(measured_page))
    for scenario in all_scenarios():
        found[f"{scenario.name}/shoppers"] = float(scenario.load.shoppers)
    for episode in load_episodes():
        found[f"minutes/{episode.number}"] = float(episode.minutes)
        found[f"shoppers/{episode.number}"] = float(episode.scenario.load.shoppers)
        found[f"seconds/{episode.number}"] = episode.scenario.load.seconds
    return found


def _cells(page: str) -> Iterator[tuple[str, float]]:
    """The cells of the tables whose first column names scenarios."""
    head: list[str] = []
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if cells[:2] == ["scenario", "counted"]:
            head = cells
        elif head and (scenario := _SCENARIO.match(cells[0])) and len(cells) == len(head):
            for architecture, cell in zip(head[2:], cells[2:], strict=True):
                if number := _MEASURED.match(cell):
                    yield f"{scenario[1]}/{architecture}", float(number[0].replace(",", ""))


class LessonPage(msgspec.Struct, frozen=True):
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

    def blocks(self) -> tuple[PageCommand, ...]:
        """All commands."""
        return tuple(blocks(self.path.read_text(), self.name))


def all_pages(tutorial: Path = TUTORIAL) -> tuple[LessonPage, ...]:
    """The pages of the lesson.

    Raises:
        UsageError: there are none: Twinshop was installed without its documentation.
    """
    found = tuple(LessonPage(path) for path in sorted(tutorial.glob("*.md")))
    if not found:
        raise UsageError(
            f"{tutorial} holds no pages",
            why="the lesson is rehearsed from its pages, and they are not installed with the program",
            next_step="rehearse in a checkout of the project",
        )
    return found


def page_of(episode: Episode, tutorial: Path = TUTORIAL) -> LessonPage:
    """An episode's page.

    Raises:
        UsageError: it has none.
    """
    path = tutorial / f"{episode.number}-{episode.name}.md"
    if not path.is_file():
        raise UsageError(f"episode {episode.number} has no page", why=f"there is no {path}", next_step=f"write {path}")
    return LessonPage(path)


def broken_without_a_round(pages: tuple[LessonPage, ...], known: Mapping[str, float]) -> Iterator[BrokenPromise]:
    """Numbers without a mark, and marks that need no round and did not come true."""
    for page in pages:
        if page.path.name not in FREE_OF_MARKS:
            yield from unmarked(page.path, page.name)
        for promise in page.promises():
            if not promise.of_a_round and (bad := broken(promise, known)) is not None:
                yield bad


def broken_by_a_round(page: LessonPage, values: Mapping[str, float], *, numbers: bool) -> Iterator[BrokenPromise]:
    """What a page says of the round that was played, and what did not come true.

    Without `numbers` only sentences are held against it: the numbers in the texts are those of the episode as it is,
    and this round was smaller.
    """
    for promise in page.promises():
        if promise.of_a_round and (numbers or promise.number is None) and (bad := broken(promise, values)) is not None:
            yield bad
