"""Were the runs asked the same? What differs in their plans and scenarios, key by key."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import zip_longest

import msgspec

from loadtests.campaigns.comparison.rows import NONE, Row, different, flat, rows
from loadtests.campaigns.comparison.side import Side
from loadtests.model.plan import Action, Plan, encode_plan


def work_sha256(plan: Plan) -> str:
    """The SHA-256 of what a plan has done: all of it but the name of the scenario that asked for it.

    So a scenario and its cure can be compared, where both do the same to the same shoppers.
    """
    return hashlib.sha256(encode_plan(msgspec.structs.replace(plan, scenario=""))).hexdigest()


def plan_differences(sides: Sequence[Side]) -> tuple[Row, ...]:
    """What differs in the plans; empty if they are the same."""
    found = different(rows([_facts(side.plan) for side in sides]))
    first = _first_action([side.plan for side in sides])
    return found if first is None else (*found, first)


def scenario_differences(sides: Sequence[Side]) -> tuple[Row, ...]:
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


def _first_action(plans: Sequence[Plan]) -> Row | None:
    """The first action that is not the same everywhere, by shopper and step."""
    for people in zip_longest(*(plan.shoppers for plan in plans)):
        actions = [() if person is None else person.actions for person in people]
        if all(other == actions[0] for other in actions):
            continue
        shopper = next(person.shopper for person in people if person is not None)
        for step, steps in enumerate(zip_longest(*actions)):
            if any(other != steps[0] for other in steps):
                what = f"first action that differs: shopper {shopper}, step {step}"
                return Row(what, tuple(_action(action) for action in steps), same=False)
    return None


def _action(action: Action | None) -> str:
    if action is None:
        return NONE
    goods = f" {action.quantity} {action.sku}" if action.quantity else f" {action.sku}" if action.sku else ""
    jar = f" ({action.jar})" if action.jar != "main" else ""
    return f"{action.do}{goods}{jar} at {action.at_ms} ms"
