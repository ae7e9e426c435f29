"""The losses of one architecture as a reader meets them: by kind and cause, the first of each told; more are listed."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from loadtests.checks import CAUSES, CHECKS
from loadtests.model.results import ArchitectureResult, Loss
from loadtests.report.summary import loss_id
from loadtests.session_model.causes import cause_in_words, meaning_of

LISTED = 25


class Told(msgspec.Struct, frozen=True):
    """One loss with its id on the page."""

    id: str
    sentence: str
    loss: Loss
    traced: bool = False
    """Its trace ids are told, for whoever has a tracing of their own."""

    @property
    def cause(self) -> str:
        """The cause in words, short."""
        return cause_in_words(self.loss.cause)

    @property
    def why(self) -> str:
        """The cause in a sentence."""
        return meaning_of(self.loss.cause, CAUSES)


class Branch(msgspec.Struct, frozen=True):
    """All losses of one kind that have one cause, and the first of them."""

    first: Told
    count: int


class Limb(msgspec.Struct, frozen=True):
    """All losses of one kind, by cause; the most frequent one first."""

    name: str
    """As a number of the table is called."""
    count: int
    branches: tuple[Branch, ...]


class Witnesses(msgspec.Struct, frozen=True):
    """The losses of one architecture: by kind and cause, with the first of each; more of them; the rest are counted."""

    tree: tuple[Limb, ...]
    listed: tuple[Told, ...]
    total: int

    @property
    def told(self) -> tuple[Told, ...]:
        """Those in the tree: whatever the table links to is among them, for it is the first of its kind and cause."""
        return tuple(branch.first for limb in self.tree for branch in limb.branches)

    @property
    def left_out(self) -> int:
        """How many are only in results.json."""
        return self.total - len(self.told) - len(self.listed)


def witnesses(name: str, result: ArchitectureResult) -> Witnesses:
    """The losses of one architecture."""
    of: dict[str, dict[str, list[int]]] = {}
    for number, loss in enumerate(result.losses):
        of.setdefault(loss.kind, {}).setdefault(loss.cause, []).append(number)
    first = {numbers[0] for causes in of.values() for numbers in causes.values()}
    rest = [number for number in range(len(result.losses)) if number not in first][:LISTED]

    def told(number: int) -> Told:
        return _told(name, number, result.losses[number], traced=result.facts is not None)

    def limb(kind: str) -> Limb:
        return Limb(CHECKS[kind].plural, sum(map(len, of[kind].values())), tuple(_branches(of[kind], told)))

    return Witnesses(tuple(map(limb, of)), tuple(told(number) for number in rest), len(result.losses))


def _branches(causes: dict[str, list[int]], told: Callable[[int], Told]) -> list[Branch]:
    by_size = sorted(causes.values(), key=lambda numbers: (-len(numbers), numbers[0]))
    return [Branch(told(numbers[0]), len(numbers)) for numbers in by_size]


def _told(name: str, number: int, loss: Loss, *, traced: bool) -> Told:
    where = f"shown by {loss.node}" if loss.node else "found in the database"
    sentence = f"Shopper {loss.shopper} {CHECKS[loss.kind].happened} at {loss.at_ms / 1000:.2f} s, {where}"
    return Told(loss_id(name, number), sentence, loss, traced)
