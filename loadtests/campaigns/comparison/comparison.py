"""Runs compared: what was asked of them, where they ran, what differs, and, if the plan was the same, their numbers.

It says what differs, and never which is better: that depends on what somebody needs.
"""

import hashlib
import shlex
from collections.abc import Mapping, Sequence
from itertools import zip_longest

import msgspec

from loadtests.campaigns.comparison.side import NONE, FactRow, Side, different, flat, rows
from loadtests.checks import MEASURES
from loadtests.model.measures import Read
from loadtests.model.plan import Action, Plan, encode_plan
from loadtests.model.results import VerdictWord

SCHEMA = 1
DIGITS = 6  # after the point, of a difference: more would be the noise of subtracting


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
    names = dict.fromkeys(name for side in sides for name in side.results.architectures)
    having = {name: [side for side in sides if name in side.results.architectures] for name in names}
    alone = {name: those[0].label for name, those in having.items() if len(those) == 1}
    found = {name: _numbers(name, those) for name, those in having.items() if same_plan and name not in alone}
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
        settings=(*rows([side.settings for side in sides]), *_described(sides, alone)),
        architectures=found,
        alone=alone,
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


def _described(sides: Sequence[Side], alone: Mapping[str, str]) -> tuple[FactRow, ...]:
    # An architecture that one run did not have is told of once, in `alone`, and not with a row for each setting.
    facts = [{what: text for what, text in it.architectures.items() if what.split(".")[0] not in alone} for it in sides]
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


# --- what differs in plans and scenarios, key by key ------------------------------------------------------------------


def work_sha256(plan: Plan) -> str:
    """The SHA-256 of what a plan has done: all of it but the name of the scenario that asked for it."""
    # Without the name: a scenario and its cure can be compared where both do the same to the same shoppers.
    return hashlib.sha256(encode_plan(msgspec.structs.replace(plan, scenario=""))).hexdigest()


def plan_differences(sides: Sequence[Side]) -> tuple[FactRow, ...]:
    """What differs in the plans; empty if they are the same."""
    found = different(rows([_facts(side.plan) for side in sides]))
    first = _first_action([side.plan for side in sides])
    return found if first is None else (*found, first)


def scenario_differences(sides: Sequence[Side]) -> tuple[FactRow, ...]:
    """What differs in the scenarios, defaults filled in; a scenario's name stands with the plan."""
    documents = [flat(msgspec.to_builtins(msgspec.structs.replace(side.scenario, name=""))) for side in sides]
    return different(rows(documents))


def _facts(plan: Plan) -> dict[str, str]:
    document = msgspec.to_builtins(msgspec.structs.replace(plan, shoppers=()))
    faults = {f"fault[{number}]": fault for number, fault in enumerate(document.pop("faults"))}
    del document["shoppers"]
    return {
        **flat({**document, **faults}),
        "shoppers": str(len(plan.shoppers)),
        "actions": str(sum(len(person.actions) for person in plan.shoppers)),
    }


def _first_action(plans: Sequence[Plan]) -> FactRow | None:
    """The first action that is not the same everywhere, by shopper and step."""
    for people in zip_longest(*(plan.shoppers for plan in plans)):
        actions = [() if person is None else person.actions for person in people]
        if all(other == actions[0] for other in actions):
            continue
        # One place is enough: of another seed nearly every action differs.
        shopper = next(person.shopper for person in people if person is not None)
        for step, steps in enumerate(zip_longest(*actions)):
            if any(other != steps[0] for other in steps):
                what = f"first action that differs: shopper {shopper}, step {step}"
                return FactRow(what, tuple(_action(action) for action in steps), same=False)
    return None


def _action(action: Action | None) -> str:
    if action is None:
        return NONE
    goods = f" {action.quantity} {action.sku}" if action.quantity else f" {action.sku}" if action.sku else ""
    jar = f" ({action.jar})" if action.jar != "main" else ""
    return f"{action.do}{goods}{jar} at {action.at_ms} ms"


# --- how far apart their numbers are ----------------------------------------------------------------------------------


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
