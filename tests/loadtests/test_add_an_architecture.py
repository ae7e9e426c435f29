"""docs/how-to/add-an-architecture.md, followed to the letter: one entry, and it runs and is everywhere."""

from __future__ import annotations

import io
import re
from pathlib import Path

import click
import pytest
from pyarrow import parquet

from compose.architectures import ARCHITECTURES, Architecture
from compose.engines.registry import engine_named
from loadtests.cli import main
from loadtests.commands.options import completed
from loadtests.reference.pages import page
from loadtests.report.exports.forms import write_one
from loadtests.report.exports.judged import judged_run
from loadtests.report.terminal import summary
from loadtests.running.progress import Silent
from loadtests.running.run import RunRequest, run

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "add-an-architecture.md"
NAME = "redis-sticky"


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return str(found)


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> Architecture:
    """The page's entry, beside the others; evaluated as it stands there."""
    assert NAME not in ARCHITECTURES
    architecture = eval(block("python"), {"Architecture": Architecture})
    assert isinstance(architecture, Architecture)
    monkeypatch.setitem(ARCHITECTURES, architecture.name, architecture)
    return architecture


def test_it_is_listed_offered_and_described(followed: Architecture, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    listed = capsys.readouterr().out
    assert re.search(rf"^  {NAME} +Sessions live in a shared server", listed, re.MULTILINE)
    assert f"| `{NAME}` | `stateless_app` | redis | cookie | – | {followed.summary} |" in page(
        "reference/architectures.md"
    )
    option = click.Option(["--architecture"])
    assert completed(click.Context(click.Command("run", params=[option])), option, "redis-s") == [NAME]


@pytest.mark.cluster
def test_it_runs_as_the_page_says_and_is_told_everywhere(followed: Architecture, tmp_path: Path) -> None:
    scenario = tmp_path / "sticky-all-the-same.toml"
    scenario.write_text(block("toml"), encoding="utf-8")
    finished = run(RunRequest(str(scenario), runs=tmp_path / "runs"), engine_named("processes"), Silent())
    found = judged_run(finished.folder.root)
    result = found.results.architectures[NAME]
    assert found.results.verdict == "as predicted", result.reasons
    assert {(it.measure, it.holds) for it in result.predictions} == {("logged_out", True), ("wrong_user", True)}
    assert [(it.measure, it.fired) for it in result.thresholds] == [("logged_out", False)]
    (fault,) = result.faults
    assert fault.observed_us is not None
    assert NAME in found.results.answer
    assert NAME in summary(found.results, finished.folder.root)
    html = finished.folder.report.read_text(encoding="utf-8")
    for part in (f'id="n-{NAME}-logged-out"', f'id="chart-strips-{NAME}"', followed.summary):
        assert part in html
    for form in ("csv", "parquet", "junit", "markdown"):
        write_one(found, form, "measures" if form in ("csv", "parquet") else None, out := io.BytesIO())
        if form == "parquet":
            assert set(parquet.read_table(out).column("architecture").to_pylist()) == {NAME}
        else:
            assert NAME in out.getvalue().decode()
