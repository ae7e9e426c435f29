"""One made-up run for all tests of the report: they only read it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from loadtests.model.results import Results
from loadtests.report import render_report
from tests.loadtests.report.parsed import Page
from tests.loadtests.synthetic_run import synthetic_run


class MadeUp(msgspec.Struct, frozen=True):
    folder: Path
    results: Results
    html: bytes
    page: Page


@pytest.fixture(scope="session")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> MadeUp:
    folder = tmp_path_factory.mktemp("made-up") / "run"
    results = synthetic_run(folder)
    html = render_report(folder, results)
    return MadeUp(folder, results, html, Page(html))
