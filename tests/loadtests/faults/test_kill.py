from __future__ import annotations

import time
from pathlib import Path

import pytest

from compose.cluster import Observation
from loadtests.faults import FAULTS, Fault, Target
from tests.loadtests.faults.targets import target_for


def looks(target: Target, monkeypatch: pytest.MonkeyPatch, process: bool, answers: bool, in_rotation: bool) -> None:
    """From now on the victim looks like that, and like another start of itself."""
    seen = Observation("n2", time.monotonic(), process, answers, in_rotation, "another", ("as it looks",))
    monkeypatch.setattr(target.cluster, "observe", lambda node: seen)


@pytest.fixture
def fault() -> Fault:
    return FAULTS["kill"]


@pytest.fixture
def target(fault: Fault, tmp_path: Path) -> Target:
    return target_for(fault, tmp_path)


class TestKill:
    @pytest.mark.parametrize(
        ("process", "answers", "dead"),
        [(False, False, True), (True, False, False), (False, True, False), (True, True, False)],
    )
    def test_dead_is_who_is_gone_and_does_not_answer(
        self, fault: Fault, target: Target, monkeypatch: pytest.MonkeyPatch, process: bool, answers: bool, dead: bool
    ) -> None:
        looks(target, monkeypatch, process, answers, in_rotation=False)
        assert (fault.observe(target) is not None) is dead

    @pytest.mark.parametrize(
        ("answers", "in_rotation", "back"), [(True, True, True), (True, False, False), (False, True, False)]
    )
    def test_back_is_who_answers_and_is_sent_shoppers(
        self,
        fault: Fault,
        target: Target,
        monkeypatch: pytest.MonkeyPatch,
        answers: bool,
        in_rotation: bool,
        back: bool,
    ) -> None:
        looks(target, monkeypatch, True, answers, in_rotation)
        assert (fault.observe_healed(target) is not None) is back

    def test_a_node_that_never_died_is_not_healed(self, fault: Fault, target: Target) -> None:
        """It answers and is in rotation, but it is the same boot: nothing was healed, for nothing broke."""
        fault.heal(target)
        assert fault.observe_healed(target) is None
