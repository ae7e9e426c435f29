"""Exchanges by the hundred, and what they say as columns: so that what is only counted is counted all at once.

Most of what an exchange says is one of few: what was done, with which status, by which node. Together that is its
*kind*, and a history of millions has some hundred kinds. A question of the kind is asked once of each, not of each
exchange; numbers (when, how many bytes) are columns of their own. Whoever must look at an exchange picks it out.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from functools import cached_property
from itertools import compress
from operator import attrgetter
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from loadtests.history import Do, Exchange, Jar, Outcome, Why

Numbers = NDArray[np.int64]
Marks = NDArray[np.bool_]
"""Of each exchange, whether something is so."""
T = TypeVar("T", bound=Hashable)


class Kind(NamedTuple):
    """What many exchanges have in common; each field says what the same one of `Exchange` says."""

    do: Do
    why: Why
    outcome: Outcome
    jar: Jar
    status: int
    node: str
    sku: str
    quantity: int
    cookie_refused: bool
    overlapped: bool


Rule = Callable[[Kind], bool]
"""A question of a kind: a function of a module, for its answers are kept by it."""


class Kinds:
    """The kinds of a history, numbered as they come, and what was asked of each."""

    def __init__(self) -> None:
        self._numbers = _Numbered()
        self._known: list[Kind] = []
        self._answers: dict[Rule, Marks] = {}
        self._labels: dict[Callable[[Kind], Hashable], tuple[dict[Hashable, int], Numbers]] = {}

    def of(self, exchanges: list[Exchange]) -> Numbers:
        """The number of each one's kind."""
        numbers = map(self._numbers.__getitem__, map(_kind_of, exchanges))
        return np.fromiter(numbers, np.int64, len(exchanges))

    def where(self, rule: Rule) -> Marks:
        """Of each kind, whether it is so."""
        known = self._all()
        answers = self._answers.get(rule)
        if answers is None or len(answers) < len(known):
            answers = self._answers[rule] = np.fromiter(map(rule, known), np.bool_, len(known))
        return answers

    def labelled(self, label: Callable[[Kind], T]) -> tuple[list[T], Numbers]:
        """The labels that kinds have, and of each kind the place of its own among them."""
        known = self._all()
        places, of_kinds = self._labels.get(label) or ({}, np.empty(0, np.int64))
        if len(of_kinds) < len(known):
            of_kinds = np.array([places.setdefault(label(kind), len(places)) for kind in known], np.int64)
            self._labels[label] = places, of_kinds
        return list(places), of_kinds  # type: ignore[arg-type]

    def _all(self) -> list[Kind]:
        known = self._known
        if len(known) < len(self._numbers):
            known.extend(map(Kind._make, list(self._numbers)[len(known) :]))
        return known


class _Numbered(dict[tuple[object, ...], int]):
    """Whatever is looked up gets the next number, if it has none."""

    def __missing__(self, key: tuple[object, ...]) -> int:
        self[key] = number = len(self)
        return number


_kind_of = attrgetter(*Kind._fields)


def _column(field: str) -> cached_property[Numbers]:
    """What a field of `Exchange` says of each."""
    value_of = attrgetter(field)
    return cached_property(lambda batch: np.fromiter(map(value_of, batch), np.int64, len(batch)))


class Batch:
    """Exchanges of one history, in order."""

    shopper = _column("shopper")
    step = _column("step")
    planned_us = _column("planned_us")
    sent_us = _column("sent_us")
    done_us = _column("done_us")
    cookie_bytes = _column("cookie_bytes")
    body_bytes = _column("body_bytes")

    def __init__(self, exchanges: list[Exchange], kinds: Kinds) -> None:
        self._exchanges = exchanges
        self._kinds = kinds
        self._kind = kinds.of(exchanges)

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self._exchanges)

    def __len__(self) -> int:
        return len(self._exchanges)

    @cached_property
    def asked(self) -> Marks:
        """Which were sent."""
        return np.fromiter([each.request != "" for each in self], np.bool_, len(self))

    def where(self, rule: Rule) -> Marks:
        """Of which exchanges that is so."""
        return self._kinds.where(rule)[self._kind]

    def pick(self, marks: Marks) -> Iterator[Exchange]:
        """The exchanges that are marked, in order."""
        return compress(self._exchanges, marks.tolist())

    def number(self, label: Callable[[Kind], int]) -> Numbers:
        """The number that the kind of each gives for it."""
        labels, places = self._labelled(label)
        return np.array(labels, np.int64)[places]

    def apart(self, label: Callable[[Kind], T]) -> Iterator[tuple[T, Marks]]:
        """Each label that there is, and which exchanges have it."""
        labels, places = self._labelled(label)
        present = np.flatnonzero(np.bincount(places, minlength=len(labels))).tolist()
        return ((labels[place], places == place) for place in present)

    def count(self, label: Callable[[Kind], T], marks: Marks) -> Iterator[tuple[T, int]]:
        """How many of those that are marked have which label; nothing of labels that none has."""
        labels, places = self._labelled(label)
        counts = np.bincount(places[marks], minlength=len(labels)).tolist()
        return ((name, many) for name, many in zip(labels, counts, strict=True) if many)

    def _labelled(self, label: Callable[[Kind], T]) -> tuple[list[T], Numbers]:
        labels, of_kinds = self._kinds.labelled(label)
        return labels, of_kinds[self._kind]


def batch_of(*exchanges: Exchange) -> Batch:
    """A few of them, for whoever has no history at hand."""
    return Batch(list(exchanges), Kinds())
