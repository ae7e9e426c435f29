"""The numbers of runs that were asked the same: for each architecture, each measure of each run, and how far apart."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from loadtests.campaigns.comparison.side import Side
from loadtests.checks import MEASURES
from loadtests.model.measures import Read
from loadtests.model.results import VerdictWord

DIGITS = 6
"""After the point, of a difference: more would be the noise of subtracting."""


class Number(msgspec.Struct, frozen=True):
    """One measure of each run."""

    measure: str
    values: tuple[float | None, ...]
    """In the runs' order. None: not measured, or there is nothing of that kind."""
    differences: tuple[float | None, ...]
    """Each further run's, less the first one's."""
    predicted: bool
    """A scenario of theirs predicts it."""


class Numbers(msgspec.Struct, frozen=True):
    """One architecture in all runs that measured it."""

    runs: tuple[str, ...]
    """Their labels."""
    verdicts: tuple[VerdictWord, ...]
    measures: tuple[Number, ...]


def numbers(sides: Sequence[Side]) -> dict[str, Numbers]:
    """By architecture; those that fewer than two runs measured are left out."""
    names = dict.fromkeys(name for side in sides for name in side.results.architectures)
    found = {name: [side for side in sides if name in side.results.architectures] for name in names}
    return {name: _numbers(name, having) for name, having in found.items() if len(having) > 1}


def alone(sides: Sequence[Side]) -> dict[str, str]:
    """The architectures that only one run measured, and its label."""
    names = dict.fromkeys(name for side in sides for name in side.results.architectures)
    found = {name: [side.label for side in sides if name in side.results.architectures] for name in names}
    return {name: labels[0] for name, labels in found.items() if len(labels) == 1}


def all_numbers() -> dict[str, Read]:
    """By name: every measure, and how many people were at risk, which nobody predicts."""
    return {"at_risk": lambda it: it.at_risk, **{name: measure.read for name, measure in MEASURES.items()}}


def _numbers(name: str, sides: Sequence[Side]) -> Numbers:
    results = [side.results.architectures[name] for side in sides]
    predicted = {it.measure for result in results for it in result.predictions}
    return Numbers(
        runs=tuple(side.label for side in sides),
        verdicts=tuple(result.verdict for result in results),
        measures=tuple(
            _number(name, [read(result) for result in results], predicted=name in predicted)
            for name, read in all_numbers().items()
        ),
    )


def _number(measure: str, values: Sequence[float | None], *, predicted: bool) -> Number:
    first, *others = values
    differences = (None if first is None or it is None else round(it - first, DIGITS) for it in others)
    return Number(measure, tuple(values), tuple(differences), predicted)
