from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.report.exports.judged import JudgedRun
from tests.loadtests.report.exports import runs


@pytest.fixture
def run(tmp_path: Path) -> JudgedRun:
    return runs.plain_run(tmp_path / "run")


@pytest.fixture
def hostile(tmp_path: Path) -> JudgedRun:
    return runs.hostile_run(tmp_path / "hostile")
