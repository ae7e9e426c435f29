"""What it would look like with the cure: what this run measured, beside what is predicted of the cured scenario."""

import msgspec

from loadtests.checks import MEASURES
from loadtests.faults.contract import Cure
from loadtests.model.measures import spoken
from loadtests.model.results import Results
from loadtests.model.scenario import Scenario
from loadtests.model.wording import number
from loadtests.planning.cures import CURES, shown_on, switch
from loadtests.planning.scenario_file import all_scenarios


class Cured(msgspec.Struct, frozen=True):
    """One cure."""

    cure: Cure
    switch: tuple[str, ...]
    """Words, every other of them code."""
    measure: str
    meaning: str
    command: str
    """Shows it."""
    lines: tuple[tuple[str, str, str], ...]
    """(architecture, measured here without the cure, predicted with it)."""


def cured(results: Results) -> tuple[Cured, ...]:
    """The cures for what this run's scenario shows, with their lines for architectures that were measured."""
    known = {scenario.name: scenario for scenario in all_scenarios()}
    there = [cure for cure in CURES if cure.before == results.scenario]
    found = [_cured(cure, known[cure.before], known[cure.after], results) for cure in there]
    return tuple(one for one in found if one.lines)


def _cured(cure: Cure, before: Scenario, after: Scenario, results: Results) -> Cured:
    measure = cure.measure or before.headline
    names = [name for name in shown_on(cure, before, after) if name in results.architectures]
    instead = f" --architecture {cure.instead}" if cure.instead else ""
    return Cured(
        cure=cure,
        switch=tuple(switch(cure, before, after).split("`")),  # words, code, words, …: what stood between backticks
        measure=spoken(measure),
        meaning=MEASURES[measure].definition,
        command=f"twinshop run {after.name}{instead} --seed {results.seed}",
        lines=tuple(
            (name, _measured(results, name, measure), _predicted(after, cure.instead or name, measure))
            for name in names
        ),
    )


def _measured(results: Results, name: str, measure: str) -> str:
    value = MEASURES[measure].read(results.architectures[name])
    return "–" if value is None else number(value)


def _predicted(scenario: Scenario, name: str, measure: str) -> str:
    return scenario.expect.get(name, {}).get(measure, "not predicted")
