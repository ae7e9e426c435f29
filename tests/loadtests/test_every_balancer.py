"""Every balancer in a run: a node is killed and comes back; the books balance, and all logs tell the same story."""

from __future__ import annotations

from pathlib import Path

import pytest

from compose.balancers import BALANCERS
from compose.engines.registry import engine_named
from loadtests.model.results import ArchitectureResult, Results
from loadtests.running.progress import Silent
from loadtests.running.run import RunRequest, run

SMALL = """
question = "Who is logged out when a node dies, whatever stands in front of it?"
family = "test"
nodes = 2
architectures = ["sticky-memory"]

[load]
shoppers = 9
seconds = 4
think_ms = 250
login_within_ms = 600

[[fault]]
kind = "kill"
at_s = 1.5
heal_after_s = 1.0

[expect.sticky-memory]
logged_out = "at_risk"
wrong_user = "0"
"""
SIX = ("envoy", "haproxy", "nginx", "traefik", "caddy", "apache")


def carried_out(scenario: str, balancer: str, runs: Path, *architectures: str) -> Results:
    request = RunRequest(scenario, architectures, runs=runs, balancer=balancer)
    return run(request, engine_named("processes"), Silent()).results


def check(result: ArchitectureResult) -> None:
    """What must hold whatever the balancer does to people."""
    assert result.books_balance
    assert result.reconciliation.mismatch_count == 0, result.reconciliation.mismatches
    assert result.reconciliation.client > 0
    assert result.verdict != "inconclusive", result.reasons


def test_all_six_are_here() -> None:
    assert {balancer.name for balancer in BALANCERS.values() if not balancer.variant.name} >= set(SIX)


@pytest.mark.cluster
@pytest.mark.parametrize("balancer", [name for name in SIX if name != "envoy"])  # that: test_run_end_to_end
def test_a_node_is_killed_and_all_logs_agree(balancer: str, tmp_path: Path) -> None:
    scenario = tmp_path / "small-kill.toml"
    scenario.write_text(SMALL)
    result = carried_out(str(scenario), balancer, tmp_path / "runs").architectures["sticky-memory"]
    check(result)
    assert result.at_risk == result.reconciliation.at_risk_by_balancer
    assert result.logged_out.shoppers == result.at_risk > 0
