"""What was to fail the run, and whether it did: a table with a line for each threshold on each architecture."""

from __future__ import annotations

import msgspec

from loadtests.model.results import Prediction, Results, Threshold
from loadtests.report.summary import formula


class Guard(msgspec.Struct, frozen=True):
    """One line of the table."""

    name: str
    """The architecture."""
    measure: str
    limit: str
    """When it fires, for reading: "> 0.05 × U: 3"."""
    measured: str
    fired: bool
    counts: bool
    """False if the experiment did not happen here: then it decides nothing."""


def guards(results: Results) -> tuple[Guard, ...]:
    """All of them, in the order of the run."""
    return tuple(
        Guard(name, it.measure, _limit(it), f"{it.measured:g}", it.fired, result.verdict != "inconclusive")
        for name, result in results.architectures.items()
        for it in result.thresholds
    )


def _limit(threshold: Threshold) -> str:
    return formula(
        Prediction(
            threshold.measure, threshold.fail_if, threshold.value, threshold.measured, threshold.fired, threshold.upper
        )
    )
