"""Exchanges by the hundred, and what they say as columns: so that what is only counted is counted all at once.

Most of what an exchange says is one of few: what was done, with which status, by which node. Together that is its
*kind*, and a history of millions has some hundred kinds. A question of the kind is asked once of each, not of each
exchange; numbers (when, how many bytes) are columns of their own. Whoever must look at an exchange picks it out.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import cached_property
from itertools import compress, islice
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from loadtests.model.history import Do, Exchange, Jar, Outcome, Why
from shared.errors import RunFolderError

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


def is_planned(kind: Kind) -> bool:
    """It is an action of the plan."""
    return kind.why == "plan"


def node_of(kind: Kind) -> str:
    """Who answered."""
    return kind.node


Rule = Callable[[Kind], bool]
"""A question of a kind: always the same function, for its answers are kept by it."""
K = TypeVar("K", bound=tuple[Any, ...])


class Kinds(Generic[K]):
    """The kinds of many records, numbered as they come, and what was asked of each."""

    def __init__(self, kind: type[K]) -> None:
        """`kind`: a NamedTuple whose fields the records have, too."""
        self._make: Callable[[tuple[Any, ...]], K] = kind._make  # type: ignore[attr-defined]
        self._kind_of = attrgetter(*kind._fields)  # type: ignore[attr-defined]
        self._numbers = Numbered()
        self._known: list[K] = []
        self._labels: dict[Callable[[K], Hashable], tuple[dict[Hashable, int], Numbers]] = {}

    def of(self, records: list[Any]) -> Numbers:
        """The number of each one's kind."""
        return np.fromiter(map(self._numbers.__getitem__, map(self._kind_of, records)), np.int64, len(records))

    def labelled(self, label: Callable[[K], T]) -> tuple[list[T], Numbers]:
        """The labels that kinds have, and of each kind the place of its own among them."""
        known = self._all()
        places, of_kinds = self._labels.get(label) or ({}, np.empty(0, np.int64))
        if len(of_kinds) < len(known):
            new = [places.setdefault(label(kind), len(places)) for kind in known[len(of_kinds) :]]
            of_kinds = np.concatenate([of_kinds, np.array(new, np.int64)])
            self._labels[label] = places, of_kinds
        return list(places), of_kinds  # type: ignore[arg-type]

    def number(self, label: Callable[[K], int]) -> Numbers:
        """The number that each kind gives for it."""
        labels, of_kinds = self.labelled(label)
        return _numbers(labels, len(labels), label.__name__.strip("_"))[of_kinds]

    def _all(self) -> list[K]:
        known = self._known
        if len(known) < len(self._numbers):
            known.extend(map(self._make, islice(self._numbers, len(known), None)))
        return known


class Numbered(dict[tuple[Any, ...], int]):
    """Whatever is looked up gets the next number, if it has none."""

    def __missing__(self, key: tuple[Any, ...]) -> int:
        self[key] = number = len(self)
        return number


def _column(field: str) -> cached_property[Numbers]:
    """What a field of `Exchange` says of each."""
    value_of = attrgetter(field)
    return cached_property(lambda batch: _numbers(map(value_of, batch), len(batch), field))


def _numbers(values: Iterable[int], count: int, what: str) -> Numbers:
    try:
        return np.fromiter(values, np.int64, count)
    except OverflowError as error:
        raise RunFolderError(
            f"the history cannot be judged: a number of {what!r} is too large",
            why="it does not fit into 64 bits, so nobody has measured it",
            next_step="run the scenario again: damaged evidence proves nothing",
        ) from error


class Batch:
    """Exchanges of one history, in order."""

    shopper = _column("shopper")
    step = _column("step")
    planned_us = _column("planned_us")
    sent_us = _column("sent_us")
    done_us = _column("done_us")
    cookie_bytes = _column("cookie_bytes")
    body_bytes = _column("body_bytes")

    def __init__(self, exchanges: list[Exchange], kinds: Kinds[Kind]) -> None:
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
        marks: Marks = self._kinds.number(rule)[self._kind] != 0
        return marks

    def pick(self, marks: Marks) -> Iterator[Exchange]:
        """The exchanges that are marked, in order."""
        return compress(self._exchanges, marks.tolist())

    def labelled(self, label: Callable[[Kind], T]) -> tuple[list[T], Numbers]:
        """The labels that there are, and the place of each one's among them."""
        labels, of_kinds = self._kinds.labelled(label)
        return labels, of_kinds[self._kind]

    def number(self, label: Callable[[Kind], int]) -> Numbers:
        """The number that the kind of each gives for it."""
        return self._kinds.number(label)[self._kind]

    def apart(self, label: Callable[[Kind], T]) -> Iterator[tuple[T, Marks]]:
        """Each label that there is, and which exchanges have it."""
        labels, places = self.labelled(label)
        present = np.flatnonzero(np.bincount(places, minlength=len(labels))).tolist()
        return ((labels[place], places == place) for place in present)

    def count(self, label: Callable[[Kind], T], marks: Marks) -> Iterator[tuple[T, int]]:
        """How many of those that are marked have which label; nothing of labels that none has."""
        labels, places = self.labelled(label)
        counts = np.bincount(places[marks], minlength=len(labels)).tolist()
        return ((name, many) for name, many in zip(labels, counts, strict=True) if many)


def batch_of(*exchanges: Exchange) -> Batch:
    """A few of them, for whoever has no history at hand."""
    return Batch(list(exchanges), Kinds(Kind))
