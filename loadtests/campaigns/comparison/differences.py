"""What differs between runs: their plans and scenarios, key by key; and how far apart their numbers are."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import zip_longest

import msgspec

from loadtests.campaigns.comparison.side import NONE, FactRow, Side, different, flat, rows
from loadtests.checks import MEASURES
from loadtests.model.measures import Read
from loadtests.model.plan import Action, Plan, encode_plan
from loadtests.model.results import VerdictWord


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


def numbers(sides: Sequence[Side]) -> dict[str, Numbers]:
    """By architecture; those that fewer than two runs measured are left out."""
    return {name: _numbers(name, having) for name, having in _having(sides).items() if len(having) > 1}


def alone(sides: Sequence[Side]) -> dict[str, str]:
    """The architectures that only one run measured, and its label."""
    return {name: having[0].label for name, having in _having(sides).items() if len(having) == 1}


def _having(sides: Sequence[Side]) -> dict[str, list[Side]]:
    """By architecture: those that measured it."""
    names = dict.fromkeys(name for side in sides for name in side.results.architectures)
    return {name: [side for side in sides if name in side.results.architectures] for name in names}


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
