"""docs/how-to/add-a-fault.md, followed to the letter: its fault and its scenario are one new file each, and run."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import loadtests.faults
from compose.engines.registry import engine_named
from loadtests.faults import FAULTS
from loadtests.faults.found import find_faults
from loadtests.model.events import FaultEvent, read_events
from loadtests.running.progress import Silent
from loadtests.running.run import RunRequest, run
from tests.contrast import contrast

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "add-a-fault.md"
KIND = "balancer-freeze"


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
    (folder / "balancer_freeze.py").write_text(block("python"), encoding="utf-8")
    (tmp_path / "balancer-freeze.toml").write_text(block("toml"), encoding="utf-8")
    package = [*loadtests.faults.__path__, str(folder)]
    monkeypatch.setattr(loadtests.faults, "__path__", package)
    for kind, fault in find_faults(package, "loadtests.faults").items():
        if kind not in FAULTS:
            monkeypatch.setitem(FAULTS, kind, fault)
    yield tmp_path / "balancer-freeze.toml"
    sys.modules.pop("loadtests.faults.balancer_freeze")
    del vars(loadtests.faults)["balancer_freeze"]


def test_the_condition_that_it_shows_is_the_neighbour_it_names() -> None:
    shown = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
    real = (PAGE.parents[2] / "loadtests" / "faults" / "workers.py").read_text(encoding="utf-8")
    for line in shown.splitlines():
        assert line in real


def test_the_file_is_found_and_described(followed: Path) -> None:
    fault = FAULTS[KIND]
    assert fault.sentence.endswith(".")
    assert min(contrast(fault.colour, "#ffffff"), contrast(fault.colour, "#191c20")) >= 3


@pytest.mark.cluster
@pytest.mark.timeout(120)
def test_it_runs_as_the_page_says(followed: Path, tmp_path: Path) -> None:
    finished = run(RunRequest(str(followed), runs=tmp_path / "runs"), engine_named("processes"), Silent())
    reasons = {name: result.reasons for name, result in finished.results.architectures.items()}
    assert finished.results.verdict == "as predicted", reasons
    steps = [event for event in read_events(finished.folder.events) if isinstance(event, FaultEvent)]
    for architecture in ("sticky-memory", "redis"):
        told = [step.phase for step in steps if step.architecture == architecture and step.kind == KIND]
        assert told == ["injected", "observed", "healed", "observed_healed"]
