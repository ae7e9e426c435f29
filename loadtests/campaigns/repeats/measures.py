"""What is compared: chosen from the scenario before anything is run, because each comparison weakens the others."""

from __future__ import annotations

from collections.abc import Sequence

from loadtests.checks import MEASURES
from loadtests.model.measures import spoken
from loadtests.model.scenario import Scenario


def compared(scenario: Scenario, architectures: Sequence[str]) -> tuple[str, ...]:
    """The scenario's headline, what every scenario compares, and whatever it predicts of these architectures."""
    predicted = [measure for name in architectures for measure in scenario.expect.get(name, {})]
    always = (name for name, measure in MEASURES.items() if measure.compared)
    return tuple(dict.fromkeys((scenario.headline, *always, *predicted)))


def definition(measure: str) -> str:
    """What it means; the name itself if this version of Twinshop does not know it any more."""
    known = MEASURES.get(measure)
    return known.definition if known else measure


def phrase_of(measure: str) -> str:
    """How a sentence calls it."""
    known = MEASURES.get(measure)
    return known.phrase if known else spoken(measure)
