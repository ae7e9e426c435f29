"""What is compared: chosen from the scenario before anything is run, because each comparison weakens the others."""

from __future__ import annotations

from collections.abc import Sequence

from loadtests.model.measures import MEASURES
from loadtests.model.scenario import Scenario

LEADING = ("logged_out", "carts_lost", "units_lost", "failed", "unknown", "seconds_without_service", "p95_ms")
"""Of every scenario: people, goods, actions, service."""


def compared(scenario: Scenario, architectures: Sequence[str]) -> tuple[str, ...]:
    """The scenario's headline, the leading ones, and whatever it predicts of these architectures."""
    predicted = [measure for name in architectures for measure in scenario.expect.get(name, {})]
    return tuple(dict.fromkeys((scenario.headline, *LEADING, *predicted)))


def title(measure: str) -> str:
    """As people read it: "logged out"."""
    return measure.replace("_", " ")


def definition(measure: str) -> str:
    """What it means; the name itself if this version of Twinshop does not know it any more."""
    known = MEASURES.get(measure)
    return known.definition if known else measure
