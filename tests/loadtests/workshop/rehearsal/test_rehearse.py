"""`twinshop rehearse`: one episode end to end; and what is said of commands that do not do what a page shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loadtests import cli
from loadtests.workshop.rehearsal.lesson_pages import PageCommand
from loadtests.workshop.rehearsal.rehearse import broken_command
from tests.left_behind import processes_of
from tests.loadtests.command import twinshop


def test_a_command_that_fails_is_broken_and_its_line_is_named(tmp_path: Path) -> None:
    (bad,) = broken_command(PageCommand("page.md:7", ("twinshop", "check", "5"), ()), tmp_path)
    assert bad.place == "page.md:7"
    assert "`twinshop check 5` ended with 2: " in bad.what
    assert "has no result yet" in bad.what


def test_a_command_that_says_otherwise_than_the_page_is_broken(tmp_path: Path) -> None:
    (bad,) = broken_command(PageCommand("page.md:7", ("twinshop", "--version"), ("twinshop, version 99",)), tmp_path)
    assert bad.place == "page.md:7"
    assert "does not say what the page shows; it says:\ntwinshop, version" in bad.what


def test_a_command_that_says_what_the_page_shows_is_not(tmp_path: Path) -> None:
    assert (
        list(broken_command(PageCommand("page.md:7", ("twinshop", "--version"), ("twinshop, version …",)), tmp_path))
        == []
    )


def test_an_unknown_episode_is_refused_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["rehearse", "6", "--runs", str(tmp_path / "runs")]) == 2
    assert "no episode '6'" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


@pytest.mark.cluster
def test_an_episode_is_rehearsed_from_prediction_to_check(tmp_path: Path) -> None:
    """The person of its script is logged out in one shop and not in the other; nothing is left."""
    done = twinshop(tmp_path, "rehearse", "2", "--shoppers", "8", "--json", timeout=200)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    found = json.loads(done.stdout)
    (played,) = found["episodes"]
    assert (found["kept"], found["texts"], played["broken"]) == (True, [], [])
    assert played["values"]["left.logged_out"] == played["values"]["left.at_risk"] > 0
    assert played["values"]["left.visitors"] == played["values"]["right.visitors"] == 2
    assert "a participant joins from " in done.stderr
    assert played["left_out"] > 0
    assert processes_of(tmp_path / "state") == {}
