"""docs/how-to/add-a-fault.md, followed to the letter: its fault and its scenario are one new file each, and run."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import loadtests.faults
from compose.engines.registry import engine_named
from loadtests.checks import CAUSES
from loadtests.faults import FAULTS, find_faults
from loadtests.reference.pages import page
from loadtests.report.exports.forms import write_tables
from loadtests.report.exports.judged import judged_run
from loadtests.running.progress import Silent
from loadtests.running.run import RunRequest, run
from tests.contrast import contrast

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "add-a-fault.md"
KIND, CAUSE = "reclaim", "machine_reclaimed"


def block(language: str) -> str:
    """The first example of that language."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The page's two files; the folder of the first is another one of the package, as if they lay side by side."""
    folder = tmp_path / "faults"
    folder.mkdir()
    (folder / "reclaim.py").write_text(block("python"), encoding="utf-8")
    (tmp_path / "node-reclaimed.toml").write_text(block("toml"), encoding="utf-8")
    package = [*loadtests.faults.__path__, str(folder)]
    monkeypatch.setattr(loadtests.faults, "__path__", package)
    for kind, fault in find_faults(package, "loadtests.faults").items():
        if kind not in FAULTS:
            monkeypatch.setitem(FAULTS, kind, fault)
            for cause in fault.causes:
                monkeypatch.setitem(CAUSES, cause.name, cause.meaning)
    yield tmp_path / "node-reclaimed.toml"
    sys.modules.pop("loadtests.faults.reclaim")
    del vars(loadtests.faults)["reclaim"]


def test_the_condition_that_it_shows_is_the_neighbour_it_names() -> None:
    shown = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
    real = (PAGE.parents[2] / "loadtests" / "faults" / "workers.py").read_text(encoding="utf-8")
    for line in shown.splitlines():
        assert line in real


def test_the_file_is_found_and_described(followed: Path) -> None:
    fault = FAULTS[KIND]
    assert fault.sentence.endswith(".")
    assert min(contrast(fault.colour, "#ffffff"), contrast(fault.colour, "#191c20")) >= 3


def test_the_reference_knows_it_and_its_cause(followed: Path) -> None:
    assert f"| `{KIND}` | {FAULTS[KIND].sentence} | node | yes | `{CAUSE}` |" in page("reference/faults.md")
    assert f"| `{CAUSE}` | {CAUSES[CAUSE]} | [{KIND}](faults.md) |" in page("reference/causes.md")


@pytest.mark.cluster
def test_it_runs_as_the_page_says_and_its_cause_is_named_everywhere(followed: Path, tmp_path: Path) -> None:
    finished = run(RunRequest(str(followed), runs=tmp_path / "runs"), engine_named("processes"), Silent())
    measured = finished.results.architectures
    assert finished.results.verdict == "as predicted", {name: result.reasons for name, result in measured.items()}
    for result in measured.values():
        (fault,) = result.faults
        assert (fault.kind, fault.takes_memory, fault.nothing_there) == (KIND, True, "")
        assert None not in (fault.injected_us, fault.observed_us, fault.healed_us, fault.observed_healed_us)
    causes_of = {name: {loss.cause for loss in result.losses} for name, result in measured.items()}
    assert causes_of["sticky-memory"] >= {CAUSE}
    assert causes_of["redis"] == set()
    assert CAUSES[CAUSE] in finished.folder.report.read_text(encoding="utf-8")
    tables = write_tables(judged_run(finished.folder.root), "csv", tmp_path / "tables")
    assert any(CAUSE in table.read_text(encoding="utf-8") for table in tables)
