"""A fault that changed nothing is never named: the cause of every case stays as it is with such faults beside it."""

from __future__ import annotations

import msgspec
import pytest

from loadtests.faults import FAULTS
from loadtests.model.fault_timeline import FaultTimeline
from loadtests.model.history import Exchange
from loadtests.session_model.timeline import RunTimeline
from tests.loadtests.session_model.accused import only, strike
from tests.loadtests.session_model.stores.test_memory import CASES as OF_MEMORY
from tests.loadtests.session_model.stores.test_redis import CASES as OF_REDIS
from tests.loadtests.session_model.stores.test_replicated import CASES as OF_REPLICATED
from tests.loadtests.session_model.stores.test_token import CASES as OF_TOKEN
from tests.loadtests.session_model.test_causes import CARTS

EVERY = {
    f"{store}: {name}": case
    for store, cases in (
        ("memory", OF_MEMORY), ("redis", OF_REDIS), ("replicated", OF_REPLICATED), ("token", OF_TOKEN),
        ("carts", CARTS),
    )
    for name, case in cases.items()
}  # fmt: skip
LONG_AFTER_S = 1000.0
HARMLESS = ("slow", "store-far", "balancer-restart")
"""They touch no session, wherever and whenever."""


def victim_of(kind: str) -> str:
    strikes = FAULTS[kind].strikes
    return "n2" if strikes == "node" else strikes


def noise() -> list[FaultTimeline]:
    """Every kind: not observed in the middle of it, observed long after the answer, over long before the login."""
    found = []
    for kind in FAULTS:
        if kind == "balancer-retries":
            continue  # it is no effect of its own, and changes what others do
        found += [
            strike(kind, victim_of(kind), at=5, seen=False),
            strike(kind, victim_of(kind), at=LONG_AFTER_S, heal=LONG_AFTER_S + 1),
        ]
        if not kind.startswith("key-") and not FAULTS[kind].stays:
            found.append(strike(kind, victim_of(kind), at=-900, heal=-899))
    return [*found, *(strike(kind, victim_of(kind), at=1, heal=5.9) for kind in HARMLESS)]


@pytest.mark.parametrize("name", list(EVERY))
def test_a_fault_that_changed_nothing_is_not_named(name: str) -> None:
    records, at, _ = EVERY[name]
    beside, numbers = with_noise(at)
    before, after = only(records, at), only(records, beside)
    assert (after.cause, after.counterfactual) == (before.cause, before.counterfactual)
    assert [numbers.get(one.fault) for one in after.because] == [one.fault for one in before.because]


def with_noise(at: RunTimeline) -> tuple[RunTimeline, dict[int | None, int | None]]:
    """The run with all of that around its faults, and which number each of its own has got."""
    every = [*noise(), *at.faults]
    numbered = tuple(msgspec.structs.replace(fault, fault=number) for number, fault in enumerate(every))
    own: dict[int | None, int | None] = {None: None}
    own |= {len(every) - len(at.faults) + fault.fault: fault.fault for fault in at.faults}
    return msgspec.structs.replace(at, faults=numbered), own


def test_a_fault_at_a_node_that_has_nothing_to_do_with_it_is_not_named() -> None:
    elsewhere = [
        strike(kind, "n9", at=at, heal=at + 0.5)
        for kind, fault in FAULTS.items()
        for at in (1.0, 5.2)
        if fault.strikes == "node"
    ]
    tried = 0
    for name, (records, at, cause) in EVERY.items():
        ring = at.affinity in ("hash", "address")
        if ring or not all(isinstance(record, Exchange) for record in records):
            continue  # on a ring, every node has to do with everybody
        faults = tuple(
            msgspec.structs.replace(fault, fault=number) for number, fault in enumerate([*at.faults, *elsewhere])
        )
        assert only(records, msgspec.structs.replace(at, faults=faults)).cause == cause, name
        tried += 1
    assert tried > 100
