"""The lesson's pages: their commands and what these show; and their promises, in marks that readers do not see.

    all 30<!-- is right.logged_out --> of them        the number before the mark is that one
    at least 28<!-- at most right.logged_out -->      … is at most that one
    about 10<!-- about left.at_risk -->               … is within a quarter of it
    nobody<!-- promised: left.logged_out == 0 -->     a sentence without a number: the rule holds

Names are those of `loadtests.workshop.measured`, which a round that is played answers, and those of `known_numbers`,
which need none ("node-kill/redis", "minutes/2"). A number without a mark cannot be held against anything, so
`LessonPage.unmarked` finds those.

In shown output `…` stands for anything within a line, and a line of its own for any lines.
"""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from loadtests.model.formulas import is_true
from loadtests.planning.scenario_file import all_scenarios
from loadtests.workshop.episode import Episode
from loadtests.workshop.episode_file import load_episodes
from loadtests.workshop.measured import NAME
from shared.errors import UsageError

MARK = re.compile(r"(?P<number>\d[\d,]*(?:\.\d+)?)?(?P<unit> ?(?:%|\*\*|</?strong>))?<!-- (?P<said>.+?) -->")
_NUMERIC = re.compile(r"(?P<how>is|at most|at least|about) (?P<formula>.+)")
_FENCE = re.compile(r"^\s*(?:```|~~~)(\w*)")
# What is no claim: comments, code, where links lead, tags, list numbers, headings, times of day, names of things.
_NO_PROSE = re.compile(
    r"<!--.*?-->|`[^`]*`|\]\([^)]*\)|</?\w[^>]*>|^\s*\d+\. |^#.*|"
    r"\b[Ee]pisodes? \d(?:, \d)*(?: and \d)?|\bA4\b|\bn\d\b|\b\d:\d\d\b"
)
_DIGITS = re.compile(r"\d")
ANYTHING = "…"
_SCENARIO = re.compile(r"\[([a-z0-9-]+)\]\(")
_MEASURED = re.compile(r"\d[\d,]*(?:\.\d+)?(?=\s)")
DOCS = Path(__file__).parents[3] / "docs"
TUTORIAL = DOCS / "tutorial"
MEASURED = DOCS / "explanation" / "measured.md"
FREE_OF_MARKS = ("quiz.md",)  # its numbers are those of questions and answers, and claim nothing


class BrokenPromise(msgspec.Struct, frozen=True):
    """A promise that did not come true."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


class Promise(msgspec.Struct, frozen=True):
    """One mark of a page."""

    place: str
    """File and line."""
    how: str
    """is, at most, at least, about; or "promised"."""
    formula: str
    """What the number is held against; of a promise: the rule."""
    number: float | None = None
    digits: int = 0
    """Behind the point."""

    @property
    def of_a_round(self) -> bool:
        """It is about a round that was played: `left` or `right` is in it, or how many shoppers or nodes."""
        return bool(NAME.search(self.formula)) or self.formula in ("U", "N")

    def broken(self, values: Mapping[str, float]) -> Iterator[BrokenPromise]:
        """What did not come true; nothing if it did."""
        try:
            if self.how == "promised":
                good, is_so = is_true(self.formula, values), f"{self.formula} does not hold{self._with(values)}"
            else:
                # A name, or a sum of names.
                value = sum(values[name.strip()] for name in self.formula.split(" + "))
                good, is_so = self._agrees(value), f"says {self.number:g}, and {self.formula} is {value:g}"
        except KeyError as error:
            good, is_so = False, f"{self.formula}: {error.args[0]} was not measured"
        except ValueError as error:
            good, is_so = False, str(error)
        if not good:
            yield BrokenPromise(self.place, is_so)

    def _agrees(self, value: float) -> bool:
        assert self.number is not None
        if self.how == "is":
            return round(value, self.digits) == self.number  # to the digits that the page gives
        if self.how == "at most":
            return self.number <= value
        if self.how == "at least":
            return self.number >= value
        return abs(self.number - value) <= 0.25 * value

    def _with(self, values: Mapping[str, float]) -> str:
        """The numbers of a rule that does not hold."""
        named = {name: values[name] for name in NAME.findall(self.formula) if name in values}
        return ": " + ", ".join(f"{name} is {value:g}" for name, value in named.items()) if named else ""


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


class LessonPage(msgspec.Struct, frozen=True):
    """One page."""

    path: Path

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"docs/tutorial/{self.path.name}"

    def prose(self) -> Iterator[tuple[str, str]]:
        """The lines that are no code block, each with its place."""
        fenced = False
        for number, line in enumerate(self.path.read_text().splitlines(), 1):
            if _FENCE.match(line):
                fenced = not fenced
            elif not fenced:
                yield f"{self.name}:{number}", line

    def promises(self) -> tuple[Promise, ...]:
        """All marks.

        Raises:
            ValueError: one cannot be read; names the line.
        """
        return tuple(_promise(mark, place) for place, line in self.prose() for mark in MARK.finditer(line))

    def unmarked(self) -> Iterator[BrokenPromise]:
        """Numbers that no mark ties to anything: they could say whatever they like."""
        for place, line in self.prose():
            left = _NO_PROSE.sub(" ", MARK.sub(" ", line))  # marks first: each takes the number before it along
            if _DIGITS.search(left):
                yield BrokenPromise(place, f"a number without a mark: {left.strip()!r}")

    def commands(self) -> Iterator[PageCommand]:
        """Its commands, in order."""
        console, command, place = False, "", ""
        output: list[str] = []
        for number, line in enumerate(self.path.read_text().splitlines(), 1):
            fence = _FENCE.match(line)
            starts = console and line.startswith("$ ")
            if command and (fence or starts):  # what a command shows ends at the next one, or with the block
                # With comments: `$ twinshop check 2   # what has it shown?` is typed, and pasted, as it stands.
                yield PageCommand(place, tuple(shlex.split(command, comments=True)), tuple(output))
                command, output = "", []
            if fence:
                console = not console and fence[1] == "console"
            elif starts:
                command, place = line[2:], f"{self.name}:{number}"
            elif command:
                output.append(line.rstrip())


def _promise(mark: re.Match[str], place: str) -> Promise:
    said = mark["said"]
    numeric = _NUMERIC.fullmatch(said)
    if numeric and mark["number"]:
        digits = len(mark["number"].partition(".")[2])
        return Promise(place, numeric["how"], numeric["formula"], float(mark["number"].replace(",", "")), digits)
    if said.startswith("promised: "):
        return Promise(place, "promised", said.removeprefix("promised: "))
    raise ValueError(f"{place}: the mark {said!r} is none, or no number stands before it")


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
            yield from page.unmarked()
        for promise in page.promises():
            if not promise.of_a_round:
                yield from promise.broken(known)


def broken_by_a_round(page: LessonPage, values: Mapping[str, float], *, numbers: bool) -> Iterator[BrokenPromise]:
    """What a page says of the round that was played, and what did not come true.

    Without `numbers` only sentences are held against it: the numbers in the texts are those of the episode as it is,
    and this round was smaller.
    """
    for promise in page.promises():
        if promise.of_a_round and (numbers or promise.number is None):
            yield from promise.broken(values)
