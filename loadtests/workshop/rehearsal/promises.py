"""The numbers and promises of a page, in marks that its readers do not see.

    all 30<!-- is right.logged_out --> of them        the number before the mark is that one
    at least 28<!-- at most right.logged_out -->      … is at most that one
    about 10<!-- about left.at_risk -->               … is within a quarter of it
    nobody<!-- promised: left.logged_out == 0 -->     a sentence without a number: the rule holds

Names are those of `loadtests.workshop.measured`, which a round that is played answers, and those of
`loadtests.workshop.rehearsal.texts`, which need none ("node-kill/redis", "minutes/2"). A number without a mark cannot
be held against anything, so `unmarked` finds those.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from loadtests.model.formulas import is_true
from loadtests.workshop.measured import NAME

MARK = re.compile(r"(?P<number>\d[\d,]*(?:\.\d+)?)?(?P<unit> ?(?:%|\*\*|</?strong>))?<!-- (?P<said>.+?) -->")
_NUMERIC = re.compile(r"(?P<how>is|at most|at least|about) (?P<formula>.+)")
_FENCE = re.compile(r"^\s*(```|~~~)")
# What is no claim: comments, code, where links lead, tags, list numbers, headings, times of day, names of things.
_NO_PROSE = re.compile(
    r"<!--.*?-->|`[^`]*`|\]\([^)]*\)|</?\w[^>]*>|^\s*\d+\. |^#.*|"
    r"\b[Ee]pisodes? \d(?:, \d)*(?: and \d)?|\bA4\b|\bn\d\b|\b\d:\d\d\b"
)
_DIGITS = re.compile(r"\d")


class Promise(msgspec.Struct, frozen=True):
    """One mark of a page."""

    page: str
    line: int
    how: str
    """is, at most, at least, about; or "promised"."""
    formula: str
    """What the number is held against; of a promise: the rule."""
    number: float | None = None
    digits: int = 0
    """Behind the point."""

    @property
    def place(self) -> str:
        """For messages: file and line."""
        return f"{self.page}:{self.line}"

    @property
    def of_a_round(self) -> bool:
        """It is about a round that was played: `left` or `right` is in it, or how many shoppers or nodes."""
        return bool(NAME.search(self.formula)) or self.formula in ("U", "N")


class BrokenPromise(msgspec.Struct, frozen=True):
    """A promise that did not come true."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


def promises(page: Path, name: str) -> Iterator[Promise]:
    """The promises of a page; `name` is what messages call it.

    Raises:
        ValueError: a mark cannot be read; names the line.
    """
    for line, text in prose(page.read_text()):
        for mark in MARK.finditer(text):
            yield _promise(mark, name, line)


def prose(text: str) -> Iterator[tuple[int, str]]:
    """The lines of a page that are no code block, with their numbers."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            yield number, line


def unmarked(page: Path, name: str) -> Iterator[BrokenPromise]:
    """Numbers that no mark ties to anything: they could say whatever they like."""
    for line, text in prose(page.read_text()):
        left = _NO_PROSE.sub(" ", MARK.sub(" ", text))  # marks first: each takes the number before it along
        if _DIGITS.search(left):
            yield BrokenPromise(f"{name}:{line}", f"a number without a mark: {left.strip()!r}")


def broken(promise: Promise, values: Mapping[str, float]) -> BrokenPromise | None:
    """What did not come true; None if it did."""
    try:
        if promise.how == "promised":
            good, is_so = is_true(promise.formula, values), f"{promise.formula} does not hold{_with(promise, values)}"
        else:
            value = _value(promise.formula, values)
            good, is_so = _agrees(promise, value), f"says {promise.number:g}, and {promise.formula} is {value:g}"
    except KeyError as error:
        good, is_so = False, f"{promise.formula}: {error.args[0]} was not measured"
    except ValueError as error:
        good, is_so = False, str(error)
    return None if good else BrokenPromise(promise.place, is_so)


def _promise(mark: re.Match[str], page: str, line: int) -> Promise:
    said = mark["said"]
    numeric = _NUMERIC.fullmatch(said)
    if numeric and mark["number"]:
        digits = len(mark["number"].partition(".")[2])
        return Promise(page, line, numeric["how"], numeric["formula"], float(mark["number"].replace(",", "")), digits)
    if said.startswith("promised: "):
        return Promise(page, line, "promised", said.removeprefix("promised: "))
    raise ValueError(f"{page}:{line}: the mark {said!r} is none, or no number stands before it")


def _value(formula: str, values: Mapping[str, float]) -> float:
    """The formula's value: a name, or a sum of names.

    Raises:
        KeyError: a number is not there.
    """
    return sum(values[name.strip()] for name in formula.split(" + "))


def _agrees(promise: Promise, value: float) -> bool:
    assert promise.number is not None
    if promise.how == "is":
        return round(value, promise.digits) == promise.number  # to the digits that the page gives
    if promise.how == "at most":
        return promise.number <= value
    if promise.how == "at least":
        return promise.number >= value
    return abs(promise.number - value) <= 0.25 * value


def _with(promise: Promise, values: Mapping[str, float]) -> str:
    """The numbers of a rule that does not hold."""
    named = {name: values[name] for name in NAME.findall(promise.formula) if name in values}
    return ": " + ", ".join(f"{name} is {value:g}" for name, value in named.items()) if named else ""
