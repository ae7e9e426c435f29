"""Runs compared: what was asked of them, where they ran, and, if the plan was the same, their numbers.

It says what differs, and never which is better: that depends on what somebody needs.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import msgspec

from loadtests.campaigns.comparison.differences import (
    Numbers,
    alone,
    numbers,
    plan_differences,
    scenario_differences,
    work_sha256,
)
from loadtests.campaigns.comparison.side import FactRow, Side, different, rows

SCHEMA = 1


class ComparedRun(msgspec.Struct, frozen=True):
    """One of the runs."""

    label: str
    asked: str
    run: str
    """Its id."""


class RunComparison(msgspec.Struct, frozen=True):
    """What `twinshop compare --json` prints."""

    schema: int
    comparable: bool
    """Whether there are numbers; if not, `why` says why not."""
    why: tuple[str, ...]
    runs: tuple[ComparedRun, ...]
    asked: tuple[FactRow, ...]
    """Scenario, seed, plan, load, and what came of it."""
    plan: tuple[FactRow, ...]
    """What differs in the plans."""
    scenario: tuple[FactRow, ...]
    """What differs in the scenario files; the plan can be the same in spite of it."""
    environment: tuple[FactRow, ...]
    """Versions, machine, engine, load processes."""
    packages: tuple[FactRow, ...]
    settings: tuple[FactRow, ...]
    """The clusters' limits, and what each architecture was."""
    architectures: dict[str, Numbers]
    """The numbers, by architecture; empty if they cannot be compared."""
    alone: dict[str, str]
    """Architectures that only one run measured, and its label."""
    notes: tuple[str, ...]


def compare(sides: Sequence[Side]) -> RunComparison:
    """Put runs side by side."""
    same_plan = len({work_sha256(side.plan) for side in sides}) == 1
    found = numbers(sides) if same_plan else {}
    return RunComparison(
        schema=SCHEMA,
        comparable=bool(found),
        why=_why_not(same_plan=same_plan, anything=bool(found)),
        runs=tuple(ComparedRun(side.label, side.asked, side.provenance.run) for side in sides),
        asked=rows([_asked(side) for side in sides]),
        plan=plan_differences(sides),
        scenario=scenario_differences(sides),
        environment=rows([_environment(side) for side in sides]),
        packages=rows([side.versions for side in sides]),
        settings=(*rows([side.settings for side in sides]), *_described(sides)),
        architectures=found,
        alone=alone(sides),
        notes=tuple(_notes(sides)),
    )


def _why_not(*, same_plan: bool, anything: bool) -> tuple[str, ...]:
    if not same_plan:
        return ("their plans differ: the shoppers did not do the same, or not the same was done to them",)
    return () if anything else ("no architecture was measured by more than one of them",)


def _asked(side: Side) -> dict[str, str]:
    run, plan = side.provenance, side.plan
    return {
        "scenario": run.scenario,
        "seed": str(run.seed),
        "shoppers": str(run.shoppers),
        "seconds": f"{plan.window_ms / 1000:g}",
        "nodes": str(plan.nodes),
        "plan (SHA-256)": run.plan_sha256,
        "scenario file (SHA-256)": run.scenario_sha256,
        "architectures": ", ".join(run.architectures),
        "verdict": side.results.verdict,
    }


def _environment(side: Side) -> dict[str, str]:
    run = side.provenance
    return {
        "run": run.run,
        "started": run.started,
        "command": shlex.join(run.command),
        "engine": run.engine,
        **({"balancer": run.balancer} if run.balancer else {}),
        "load processes": str(run.workers),
        "Twinshop": run.twinshop,
        "Python": run.python,
        "platform": run.platform,
        "processors": str(run.cpus),
        "memory (MB)": str(run.memory_mb),
    }


def _described(sides: Sequence[Side]) -> tuple[FactRow, ...]:
    # An architecture that one run did not have is told of once, in `alone`, and not with a row for each setting.
    missing = set(alone(sides))
    facts = [
        {what: text for what, text in it.architectures.items() if what.split(".")[0] not in missing} for it in sides
    ]
    return different(rows(facts))


def _notes(sides: Sequence[Side]) -> list[str]:
    found = [
        f"{side.label}: its results.json says otherwise than its evidence; what counts here is the evidence"
        for side in sides
        if side.says_otherwise
    ]
    ids: dict[str, list[str]] = {}
    for side in sides:
        ids.setdefault(side.provenance.run, []).append(side.label)
    found += [f"{' and '.join(labels)} are the same run" for labels in ids.values() if len(labels) > 1]
    if {row.what for row in plan_differences(sides)} == {"scenario"}:  # a scenario and its cure, usually
        found.append("the plans differ in nothing but the scenario's name: the same was done to the same shoppers")
    for side in sides:
        for name, result in side.results.architectures.items():
            found += [f"{side.label}, {name}, {result.verdict}: {reason}" for reason in result.reasons]
    return found
