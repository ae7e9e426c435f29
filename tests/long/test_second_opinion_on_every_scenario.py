"""The second opinion agrees to the last digit on every scenario of the catalogue, as it stands. `make test-long`."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.planning.scenario_file import all_scenarios
from tests.loadtests.command import twinshop
from tests.loadtests.test_second_opinion import SCRIPTS, asked

pytestmark = [pytest.mark.long, pytest.mark.cluster]


@pytest.mark.parametrize("name", [scenario.name for scenario in all_scenarios()])
def test_it_agrees(tmp_path: Path, name: str) -> None:
    """Whatever the verdict: it is the numbers on which both must agree."""
    done = twinshop(tmp_path, "run", name, "-q", timeout=600)
    assert done.returncode in (0, 1, 3), done.stderr
    for script in SCRIPTS:
        opinion = asked(tmp_path / "runs" / "latest", script)
        assert opinion.returncode == 0, opinion.stdout + opinion.stderr
