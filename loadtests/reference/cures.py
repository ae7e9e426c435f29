"""The page of cures: each loss that has one, the switch, and the pair of scenarios that shows it before and after."""

from __future__ import annotations

from collections.abc import Iterator

from loadtests.faults.contract import Cure
from loadtests.model.scenario import Scenario
from loadtests.planning.cures import CURES, measure_of, shown_on, switch
from loadtests.planning.scenario_file import all_scenarios
from loadtests.reference.markdown import code, page, table


def cures() -> str:
    """docs/how-to/cures.md."""
    known = {scenario.name: scenario for scenario in all_scenarios()}
    parts = [part for cure in CURES for part in _cure(cure, known[cure.before], known[cure.after])]
    return page(
        "Cures, and what they cost",
        "Most losses have a cure, which is a switch; each is shown by two scenarios that differ in it. Run both, for "
        "example `twinshop matrix --scenario two-tabs --scenario two-tabs-lock`. The predictions below were written "
        "before anything was run; the matrix shows what was measured.",
        *parts,
    )


def _cure(cure: Cure, before: Scenario, after: Scenario) -> Iterator[str]:
    yield f"## {cure.loss.rstrip('.')}"
    yield f"**Cure:** {switch(cure, before, after)}. **Price:** {cure.price}"
    measure = measure_of(cure, before)
    rows = [
        (code(name), _said(before, name, measure), _said(after, cure.instead or name, measure))
        for name in shown_on(cure, before, after)
    ]
    link = "[{0}](../reference/scenarios.md#{0})"
    heads = (code(measure), link.format(before.name), link.format(after.name))
    yield table(heads if not cure.instead else (*heads[:2], f"{heads[2]} on {code(cure.instead)}"), rows)


def _said(scenario: Scenario, architecture: str, measure: str) -> str:
    text = scenario.expect.get(architecture, {}).get(measure, "")
    return code(text) if text else "not predicted"
