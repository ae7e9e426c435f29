"""What every fault must do, on a cluster in memory; test_no_op_twins.py strikes real ones."""

from __future__ import annotations

import sys
from itertools import combinations
from pathlib import Path

import pytest

from compose.architectures import ARCHITECTURES
from compose.cluster import Reply
from loadtests.faults import FAULTS, Fault, Target, store_crowded, store_far, store_server
from loadtests.faults.bases import Condition
from tests.contrast import contrast
from tests.loadtests.faults.targets import target_for
from tests.loadtests.scripted_cluster import ScriptedCluster, scripted_connection

HEALS_WITHIN = 3
"""Steps of the longest healing: end, start, send it shoppers."""
LIGHT, DARK = "#ffffff", "#191c20"


@pytest.fixture
def fault(kind: str, monkeypatch: pytest.MonkeyPatch) -> Fault:
    for module in (store_server, sys.modules[type(FAULTS[kind]).__module__]):
        monkeypatch.setattr(module, "connection", scripted_connection, raising=False)
    monkeypatch.setattr(store_crowded, "_KEPT", {})
    monkeypatch.setattr(store_far, "ping", lambda _address: Reply(True, 0.1, "PONG"))
    return FAULTS[kind]


@pytest.fixture
def target(fault: Fault, tmp_path: Path) -> Target:
    return target_for(fault, tmp_path)


def heal(fault: Fault, target: Target) -> None:
    """As a run does it: again, until it is seen."""
    for _ in range(HEALS_WITHIN):
        fault.heal(target)
        if fault.observe_healed(target):
            return


@pytest.mark.parametrize("kind", list(FAULTS))
class TestEveryFault:
    def test_is_not_seen_before_it_is_done(self, fault: Fault, tmp_path: Path) -> None:
        """Neither on a cluster that nobody struck, nor on one that was started as if there were no such fault."""
        untouched = target_for(fault, tmp_path, prepared=False)
        assert fault.observe(untouched) is None
        if not isinstance(fault, Condition):
            assert fault.observe(target_for(fault, tmp_path)) is None, "only a condition is there from the start"

    def test_is_seen_with_evidence_once_it_is_done(self, fault: Fault, target: Target) -> None:
        fault.inject(target)
        evidence = fault.observe(target)
        assert evidence
        assert all(evidence)

    def test_is_not_seen_healed_while_it_is_broken(self, fault: Fault, target: Target) -> None:
        fault.inject(target)
        assert bool(fault.observe_healed(target)) is fault.stays

    def test_is_seen_healed_with_evidence(self, fault: Fault, target: Target) -> None:
        fault.inject(target)
        heal(fault, target)
        assert fault.observe_healed(target)
        assert bool(fault.observe(target)) is fault.stays

    def test_heals_twice_and_without_having_been_done(self, fault: Fault, target: Target) -> None:
        heal(fault, target)
        fault.inject(target)
        heal(fault, target)
        heal(fault, target)
        assert fault.observe_healed(target)

    def test_says_where_there_is_nothing_to_strike(self, fault: Fault, tmp_path: Path) -> None:
        for architecture in ARCHITECTURES:
            why = fault.nothing_there(ScriptedCluster(tmp_path, architecture=architecture))
            assert why == "" or len(why.split()) > 3

    def test_is_described(self, fault: Fault, kind: str) -> None:
        assert fault.kind == kind
        assert fault.sentence.endswith(".")
        assert fault.doing.split()[0].endswith("ing")
        assert fault.doing[0].isupper()
        assert fault.done[0].islower() or fault.done[0].isdecimal()
        assert fault.strikes in ("node", "store", "replica", "balancer", "cluster")
        assert not fault.takes_memory or fault.strikes == "node"
        assert len({cause.name for cause in fault.causes}) == len(fault.causes)
        assert all(cause.meaning.endswith(".") for cause in fault.causes)
        assert len(fault.brings) <= len(fault.causes), "an effect without a cause of its place would be left out"
        assert fault.label[0].isupper()

    def test_its_colour_stands_out(self, fault: Fault) -> None:
        assert len(fault.colour) == 7
        assert contrast(fault.colour, LIGHT) >= 3
        assert contrast(fault.colour, DARK) >= 3

    def test_it_has_a_file_of_its_own_name(self, fault: Fault, kind: str) -> None:
        assert type(fault).__module__ == f"loadtests.faults.{kind.replace('-', '_')}"


def test_no_two_faults_look_alike() -> None:
    for one, other in combinations(FAULTS.values(), 2):
        assert one.colour != other.colour, (one.kind, other.kind)
        assert type(one) is not type(other)
