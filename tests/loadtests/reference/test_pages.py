"""The pages of docs that are made from the registries."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from compose.architectures import ARCHITECTURES
from compose.balancers import BALANCERS
from compose.cluster import Limits
from compose.description import PLACES, Description
from loadtests.behaviours import BEHAVIOURS
from loadtests.checks import CAUSES, CHECKS, MEASURES, TALLIES
from loadtests.cli import COMMANDS
from loadtests.faults import FAULTS
from loadtests.faults.contract import Cure
from loadtests.planning.cures import CURES, shown_on, switch
from loadtests.planning.scenario_file import all_scenarios, load_scenario
from loadtests.reference.pages import FOLDER, PAGES, outdated, page, write
from loadtests.reference.settings import attributes_of
from loadtests.report.exports.forms import FORMS
from loadtests.report.exports.tables import TABLES
from loadtests.report.glossary import words

NAMES = {
    "reference/scenarios.md": [scenario.name for scenario in all_scenarios()],
    "reference/faults.md": list(FAULTS),
    "reference/causes.md": list(CAUSES),
    "reference/architectures.md": list(ARCHITECTURES),
    "reference/application.md": [*PLACES, *(it.name for it in attributes_of(Description))],
    "reference/balancers.md": list(BALANCERS),
    "reference/checks.md": [*(check.kind for check in CHECKS.values()), *(tally.name for tally in TALLIES.values())],
    "reference/behaviours.md": list(BEHAVIOURS),
    "reference/settings.md": list(Limits.__struct_fields__),
    "reference/measures.md": list(MEASURES),
    "reference/exports.md": [
        *(f"| `{form}` | " for form in FORMS),
        *(head.name for table in TABLES.values() for head in table.heads()),
    ],
    "reference/cli.md": [f"twinshop {name}" for name in COMMANDS],
    "reference/glossary.md": [*words(), *CHECKS, *TALLIES],
    "how-to/cures.md": [cure.loss.rstrip(".") for cure in CURES],
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
    (tmp_path / "reference/faults.md").write_text("# Faults\n\nThere are none.\n")
    assert outdated(tmp_path) == ["reference/faults.md"]
    assert write(tmp_path) == ["reference/faults.md"]
    assert outdated(tmp_path) == []


def test_a_bar_in_what_the_program_says_ends_no_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    first = msgspec.structs.replace(TABLES["losses"].columns[0], about="one | other")
    monkeypatch.setitem(TABLES, "losses", msgspec.structs.replace(TABLES["losses"], columns=(first,)))
    monkeypatch.setitem(PLACES, "port", "one | other")
    for name in ("reference/exports.md", "reference/application.md"):
        (row,) = [line for line in page(name).splitlines() if line.endswith("| other |")]
        assert row.endswith(" | one \\| other |"), name


def test_every_limit_says_what_it_means() -> None:
    assert [it.name for it in attributes_of(Limits) if not it.about] == []
    assert [it.name for it in attributes_of(Limits)] == list(Limits.__struct_fields__)


@pytest.mark.parametrize("name", ["reference/settings.md", "reference/application.md"])
def test_no_default_stands_there_as_python_has_it(name: str) -> None:
    """Where TOML has no word for a default, `none` stands there."""
    assert re.findall(r"\| `(?:True|False|None|\(\)|\[\]|\{\}|\w+\(\))` \|", (FOLDER / name).read_text()) == []


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


@pytest.mark.parametrize("cure", CURES, ids=lambda cure: cure.after)
def test_every_cure_is_a_switch_between_two_scenarios_that_predict_different_things(cure: Cure) -> None:
    before, after = load_scenario(cure.before), load_scenario(cure.after)
    assert switch(cure, before, after)
    names = shown_on(cure, before, after)
    assert names
    measure = cure.measure or before.headline
    pairs = [(before.expect[name].get(measure), after.expect[cure.instead or name].get(measure)) for name in names]
    assert all(before for before, _ in pairs)
    assert any(one != other for one, other in pairs), pairs
    in_client = before.load.behaviour != after.load.behaviour
    assert not in_client or before.settings == after.settings  # one switch at a time
    assert before.load.shoppers == after.load.shoppers


def test_each_word_of_the_glossary_is_explained_in_a_sentence() -> None:
    assert all(meaning.endswith(".") for meaning in words().values())
