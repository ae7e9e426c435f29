"""What every fault must do, on a cluster in memory; test_run_end_to_end.py strikes a real one."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.faults import FAULTS, Fault, Target
from tests.loadtests.scripted_cluster import ScriptedCluster


class FaultContract:
    """Inherit, and say which fault."""

    kind: str

    @pytest.fixture
    def fault(self) -> Fault:
        return FAULTS[self.kind]

    @pytest.fixture
    def target(self, tmp_path: Path) -> Target:
        cluster = ScriptedCluster(tmp_path)
        return Target(cluster, "n2", cluster.observe("n2"))

    def test_is_not_seen_before_it_is_done(self, fault: Fault, target: Target) -> None:
        assert fault.observe(target) is None

    def test_is_seen_with_evidence_once_it_is_done(self, fault: Fault, target: Target) -> None:
        fault.inject(target)
        assert fault.observe(target)

    def test_is_not_seen_healed_while_it_is_broken(self, fault: Fault, target: Target) -> None:
        fault.inject(target)
        assert fault.observe_healed(target) is None

    def test_is_seen_healed_with_evidence(self, fault: Fault, target: Target) -> None:
        fault.inject(target)
        fault.heal(target)
        assert fault.observe_healed(target)
        assert fault.observe(target) is None

    def test_heals_twice_and_without_having_been_done(self, fault: Fault, target: Target) -> None:
        fault.heal(target)
        fault.inject(target)
        fault.heal(target)
        fault.heal(target)
        assert fault.observe_healed(target)

    def test_is_described(self, fault: Fault) -> None:
        assert fault.kind == self.kind
        assert fault.sentence.endswith(".")
        assert fault.doing.endswith("ing")
        assert fault.doing[0].isupper()
        assert fault.done.islower()
        assert len(fault.colour) == 7
        assert fault.colour.startswith("#")
