"""Every fault has a sabotaged twin that says it does something and does nothing: on real clusters no run counts it.

Many of them are planned into one run, each at a time and place of its own; each has to be missed by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from compose.cluster import Limits
from compose.engines.registry import engine_named
from loadtests.faults import FAULTS, Fault, Target
from loadtests.judging.verdict import exit_code
from loadtests.model.events import FaultEvent, read_events
from loadtests.running import run as module
from loadtests.running.fault_run import FaultBounds
from loadtests.running.progress import Silent
from loadtests.running.run import RunRequest, run
from tests.loadtests.faults.targets import REMEMBERS

pytestmark = pytest.mark.cluster

ONLY = {
    "sticky-memory": ["memory-cap", "no-affinity", "affinity-cookie-expires"],
    "signed-token-sticky": ["table-forgotten", "balancer-reload"],
    "redis-replica": ["promoted", "replica-cut", "demoted-primary"],
}
"""What only these have."""
BEHIND = {"signed-token-sticky": REMEMBERS}
"""Another balancer than the default."""
BY_ARCHITECTURE = ONLY | {"redis": [kind for kind in FAULTS if not any(kind in kinds for kinds in ONLY.values())]}
"""What is tried where."""
HEALS_FOR_REAL = "deploy"
"""Healing is not sabotaged, and this one's restarts the node: it comes last, when nobody looks at the node any more."""
SLOT_S = 1.0
BOUNDS = FaultBounds(observed_s=0.3, healed_s=0.3)

SCENARIO = """
question = "Does anybody believe in what did not happen?"
family = "control"
architectures = ["{architecture}"]
balancer = "{balancer}"

[load]
shoppers = 6
seconds = {seconds}
think_ms = 300
login_within_ms = 500
{faults}
[expect.{architecture}]
logged_out = "0"
"""
FAULT = """
[[fault]]
kind = "{kind}"
at_s = {at_s}
heal_after_s = 0.4
victim = "{victim}"
"""


def twin_of(fault: Fault) -> Fault:
    """The same fault, but for the doing."""

    def inject(self: Fault, target: Target) -> None:
        """Does nothing."""

    def prepare(self: Fault, limits: Limits) -> Limits:
        return limits

    return type(f"NoOp{type(fault).__name__}", (type(fault),), {"inject": inject, "prepare": prepare})()


def scenario(architecture: str, kinds: Iterable[str]) -> str:
    """One after the other at each part; side by side at different ones."""
    slots: Counter[str] = Counter()
    planned = []
    for number, kind in enumerate(sorted(kinds, key=lambda kind: kind == HEALS_FOR_REAL)):
        strikes = FAULTS[kind].strikes
        victim = f"n{number % 3 + 1}" if strikes == "node" else strikes
        at_s = 1.0 + SLOT_S * slots[victim]
        slots[victim] += 1
        planned.append(FAULT.format(kind=kind, at_s=at_s, victim="any" if strikes != "node" else victim))
    seconds = 1.5 + SLOT_S * max(slots.values())
    balancer = BEHIND.get(architecture, "envoy")
    return SCENARIO.format(seconds=seconds, architecture=architecture, balancer=balancer, faults="".join(planned))


@pytest.mark.parametrize("architecture", list(BY_ARCHITECTURE))
def test_what_did_not_happen_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, architecture: str
) -> None:
    kinds = BY_ARCHITECTURE[architecture]
    for kind in kinds:
        monkeypatch.setitem(FAULTS, kind, twin_of(FAULTS[kind]))
    monkeypatch.setattr(module, "FaultBounds", lambda: BOUNDS)
    path = tmp_path / "twins.toml"
    path.write_text(scenario(architecture, kinds))
    request = RunRequest(str(path), (architecture,), runs=tmp_path / "runs")
    finished = run(request, engine_named("processes"), Silent())
    phases = {
        (event.kind, event.phase)
        for event in read_events(finished.folder.events)
        if isinstance(event, FaultEvent) and event.phase in ("observed", "not_observed", "nothing_there")
    }
    assert phases == {(kind, "not_observed") for kind in kinds}
    assert exit_code(finished.results.verdict) == 3
    (result,) = finished.results.architectures.values()
    doubted = [reason for reason in result.reasons if "nobody observed that it happened" in reason]
    assert len(doubted) == len(kinds), result.reasons


def test_every_fault_has_a_twin() -> None:
    assert sorted(kind for kinds in BY_ARCHITECTURE.values() for kind in kinds) == sorted(FAULTS)
