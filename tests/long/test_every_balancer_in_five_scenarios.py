"""Five scenarios for each of six balancers: the books balance, and three logs agree without a mismatch."""

from __future__ import annotations

from pathlib import Path

import pytest

from compose.architectures import ARCHITECTURES
from compose.balancers import BALANCERS
from loadtests.planning.scenario_file import load_scenario
from loadtests.running.run import asked_of_balancer
from tests.loadtests.test_every_balancer import SIX, carried_out, check

FIVE = ("node-kill", "rolling-deploy", "scale-out", "balancer-restart", "checkout-retried")
NAMES = ("sticky-memory", "redis")

pytestmark = [pytest.mark.long, pytest.mark.cluster]


@pytest.mark.parametrize("balancer", SIX)
@pytest.mark.parametrize("scenario", FIVE)
def test_books_balance_and_three_logs_agree(scenario: str, balancer: str, tmp_path: Path) -> None:
    wanted = asked_of_balancer(load_scenario(scenario))
    assert not [name for name in NAMES if BALANCERS[balancer].cannot_serve(ARCHITECTURES[name].affinity, wanted)]
    results = carried_out(scenario, balancer, tmp_path / "runs", *NAMES)
    for name in NAMES:
        check(results.architectures[name])
