"""Calm days, and the count of the logged-out against the sessions at risk, many times. `make test-long`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.loadtests.command import twinshop

pytestmark = [pytest.mark.long, pytest.mark.cluster]

CALM_RUNS = int(os.environ.get("TWINSHOP_CALM_RUNS", "20"))
KILL_RUNS = int(os.environ.get("TWINSHOP_KILL_RUNS", "10"))


def results(home: Path, *arguments: str) -> dict[str, Any]:
    done = twinshop(home, *arguments, "--json", "-q", timeout=300)
    assert done.returncode == 0, done.stderr + done.stdout[:4000]
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_calm_loses_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0 losses of any kind in the architectures that should have none."""
    facts = 0
    names = ("sticky-memory", "signed-token", "redis")
    chosen = [word for name in names for word in ("--architecture", name)]
    for seed in range(1, CALM_RUNS + 1):
        for name, result in results(tmp_path, "run", "calm", "--seed", str(seed), *chosen)["architectures"].items():
            assert result["losses"] == [], (seed, name)
            assert result["actions"]["failed"] == result["actions"]["unknown"] == 0, (seed, name, result["actions"])
            facts += result["facts_checked"]
    with capsys.disabled():
        print(f"\ncalm: {CALM_RUNS} runs, {len(names)} architectures, {facts} acknowledged facts checked, 0 losses")  # noqa: T201


def test_node_kill_counts_exactly_those_at_risk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The number of logged-out shoppers equals the sessions that the victim held, run by run."""
    counts = []
    for seed in range(1, KILL_RUNS + 1):
        document = results(tmp_path, "run", "node-kill", "--seed", str(seed), "--architecture", "sticky-memory")
        sticky = document["architectures"]["sticky-memory"]
        assert sticky["logged_out"]["shoppers"] == sticky["at_risk"] > 0
        assert sticky["reconciliation"]["at_risk_by_balancer"] == sticky["at_risk"]
        counts.append(sticky["at_risk"])
    with capsys.disabled():
        print(f"\nnode-kill: {KILL_RUNS} runs, logged out = at risk in each: {counts}")  # noqa: T201
