"""Fresh runs of the twins, judged as grade A, and as grade B and C would have seen the very same people.

Two runs are never the same to the last click; one run seen twice is. The recorded runs are judged so in
tests/loadtests/judging/test_grades.py; these are made anew, in 22 scenarios.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from compose.applications.contract import Grade
from compose.engines.registry import engine_named
from loadtests.judging.judge import judge
from loadtests.running.progress import Silent
from loadtests.running.run import RunRequest, run
from tests.loadtests.judging.grades import lost, nodes_of, see_as

pytestmark = [pytest.mark.long, pytest.mark.cluster]
SCENARIOS = {
    "calm": ("sticky-memory", "redis"),
    "node-kill": ("sticky-memory", "redis"),
    "node-kill-stays-down": ("sticky-memory", "signed-token"),
    "node-stop": ("sticky-memory", "redis"),
    "node-freeze": ("sticky-memory", "redis"),
    "rolling-deploy": ("sticky-memory", "redis"),
    "rolling-deploy-drained": ("sticky-memory", "redis"),
    "scale-in": ("sticky-memory", "redis"),
    "scale-out": ("sticky-memory", "sticky-hash"),
    "balancer-restart": ("sticky-memory", "redis"),
    "no-affinity": ("sticky-memory", "redis"),
    "forgotten-node": ("sticky-memory", "redis"),
    "two-workers": ("sticky-memory", "redis"),
    "key-swap": ("signed-token", "sticky-memory"),
    "clock-ahead": ("signed-token", "redis"),
    "store-kill": ("redis", "token-denylist"),
    "store-flush": ("redis", "token-denylist"),
    "deploy-renamed-field": ("signed-token", "redis"),
    "replay-after-logout": ("signed-token", "sticky-memory"),
    "session-fixation-unprotected": ("sticky-memory", "redis"),
    "page-cache": ("sticky-memory", "redis"),
    "idle-comeback": ("sticky-memory", "redis"),
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_what_both_can_count_is_the_same(scenario: str, tmp_path: Path) -> None:
    finished = run(RunRequest(scenario, SCENARIOS[scenario], 1, runs=tmp_path), engine_named("processes"), Silent())
    root = finished.folder.root
    everything = finished.results.architectures
    lesser: tuple[Grade, ...] = ("B", "C")
    for grade in lesser:
        shutil.copytree(root, tmp_path / grade, symlinks=True)
    named = nodes_of(tmp_path / "B")
    for grade in lesser:
        see_as(grade, tmp_path / grade)
        seen = judge(tmp_path / grade).architectures
        for name, result in everything.items():
            less = seen[name]
            assert lost(less) == lost(result)
            assert (less.users, less.logged_out) == (result.users, result.logged_out)
            if grade == "B":
                for fault, reckoned in zip(result.faults, less.faults, strict=True):
                    assert reckoned.at_risk is None or set(reckoned.at_risk) == set(fault.at_risk or ())
            else:
                assert less.at_risk is None or not any(fault.at_risk for fault in result.faults)
    assert nodes_of(tmp_path / "B") == named
    counts = {name: (it.logged_out.shoppers, it.at_risk, len(it.losses)) for name, it in everything.items()}
    print(f"{scenario}: logged out, at risk, losses: {counts}")  # noqa: T201 - with -s, for the table
