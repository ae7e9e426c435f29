"""The pages of docs/reference that are made from the registries."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from compose.architectures import ARCHITECTURES
from compose.cluster import Limits
from loadtests.behaviours import BEHAVIOURS
from loadtests.checks import CHECKS, TALLIES
from loadtests.cli import COMMANDS
from loadtests.faults import FAULTS
from loadtests.judging.verdict import MEASURES
from loadtests.reference.pages import FOLDER, PAGES, outdated, write
from loadtests.scenario import all_scenarios

NAMES = {
    "scenarios.md": [scenario.name for scenario in all_scenarios()],
    "faults.md": list(FAULTS),
    "architectures.md": list(ARCHITECTURES),
    "checks.md": [*(check.kind for check in CHECKS), *(tally.name for tally in TALLIES)],
    "behaviours.md": list(BEHAVIOURS),
    "settings.md": list(Limits.__struct_fields__),
    "measures.md": list(MEASURES),
    "cli.md": [f"twinshop {name}" for name in COMMANDS],
}


def test_they_are_up_to_date() -> None:
    assert outdated() == [], "python -m loadtests.reference"


@pytest.mark.parametrize("name", PAGES)
def test_each_names_everything_that_there_is(name: str) -> None:
    text = (FOLDER / name).read_text()
    assert [it for it in NAMES[name] if it not in text] == []


def test_a_page_that_says_something_else_is_found_and_mended(tmp_path: Path) -> None:
    assert sorted(write(tmp_path)) == sorted(PAGES)
    assert outdated(tmp_path) == []
    (tmp_path / "faults.md").write_text("# Faults\n\nThere are none.\n")
    assert outdated(tmp_path) == ["faults.md"]
    assert write(tmp_path) == ["faults.md"]
    assert outdated(tmp_path) == []


def test_every_limit_says_what_it_means() -> None:
    from loadtests.reference.attributes import attributes_of

    assert [it.name for it in attributes_of(Limits) if not it.about] == []
    assert [it.name for it in attributes_of(Limits)] == list(Limits.__struct_fields__)


@pytest.mark.parametrize("name", PAGES)
def test_no_line_of_a_table_is_broken(name: str) -> None:
    """As many cells in each line as in the head; a bar within a cell is escaped."""
    lines = (FOLDER / name).read_text().splitlines()
    for above, line in pairwise(lines):
        if above.startswith("|") and line.startswith("|"):
            assert line.replace("\\|", "").count("|") == above.replace("\\|", "").count("|"), line


def test_the_command_says_what_it_found() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "loadtests.reference", "--check"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "")
