"""The experiment that did not happen: on a real cluster, a kill that does not kill, and a victim that holds nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from compose.engines.registry import engine_named
from loadtests.faults import FAULTS, Target
from loadtests.faults.kill import Kill
from loadtests.judging.verdict import exit_code
from loadtests.running import run as module
from loadtests.running.fault_run import FaultBounds
from loadtests.running.progress import Silent
from loadtests.running.run import Finished, RunRequest, run

pytestmark = pytest.mark.cluster

SCENARIO = """
question = "Does a kill that hits nobody count?"
family = "control"
nodes = 2

[load]
shoppers = 6
seconds = 3
think_ms = 300
login_within_ms = 500

[[fault]]
kind = "kill"
at_s = {at_s}
heal_after_s = 1.0

[expect.sticky-memory]
logged_out = "at_risk"
"""


class NoOpKill(Kill):
    def inject(self, target: Target) -> None:
        """Says it kills, and does nothing."""


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FaultBounds", lambda: FaultBounds(observed_s=1.0, healed_s=5.0))


def carry_out(tmp_path: Path, at_s: float) -> Finished:
    path = tmp_path / "nobody.toml"
    path.write_text(SCENARIO.format(at_s=at_s))
    request = RunRequest(str(path), ("sticky-memory",), runs=tmp_path / "runs")
    return run(request, engine_named("processes"), Silent())


def test_a_kill_that_does_not_kill_is_inconclusive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAULTS, "kill", NoOpKill())
    results = carry_out(tmp_path, at_s=1.0).results
    assert exit_code(results.verdict) == 3
    (sticky,) = results.architectures.values()
    assert sticky.at_risk > 0
    assert any("observed" in reason for reason in sticky.reasons), sticky.reasons


def test_a_kill_of_an_empty_node_is_inconclusive(tmp_path: Path) -> None:
    results = carry_out(tmp_path, at_s=0.0).results
    assert exit_code(results.verdict) == 3
    (sticky,) = results.architectures.values()
    assert sticky.at_risk == 0
    assert any("nobody" in reason for reason in sticky.reasons), sticky.reasons
