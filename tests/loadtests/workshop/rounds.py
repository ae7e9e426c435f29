"""Results of made-up rounds, for tests of what is read from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from loadtests.model.results import ArchitectureResult, ExperimentStep, LogoutCounts, Results
from loadtests.workshop.contract import CommandReply
from shared.errors import UsageError
from tests.loadtests.example_result import UNEVENTFUL


def side(*, logged_out: int = 0, observed: int = 0, **fields: Any) -> ArchitectureResult:
    """One shop's result; `observed` faults were seen, the first ones of the plan."""
    steps = tuple(ExperimentStep(fault, "observed", 1000.0 * fault, "n1") for fault in range(observed))
    changes = {"logged_out": LogoutCounts(logged_out, logged_out, 0), "experiment": steps, **fields}
    return msgspec.structs.replace(UNEVENTFUL, **changes)


def results(*, shoppers: int = 30, nodes: int = 3, **sides: ArchitectureResult) -> Results:
    """A round's results; sides by architecture, with `_` for `-`."""
    return Results(
        schema=2,
        scenario="kill-one-of-three",
        question="Who?",
        seed=1,
        plan_sha256="0",
        engine="processes",
        shoppers=shoppers,
        nodes=nodes,
        verdict="as predicted",
        answer="",
        architectures={name.replace("_", "-"): result for name, result in sides.items()},
    )


def answered(do: Callable[[], object]) -> CommandReply:
    """As the control socket answers a command that does this."""
    try:
        do()
    except UsageError as error:
        return CommandReply(False, error.what, error.next_step)
    return CommandReply(True)
