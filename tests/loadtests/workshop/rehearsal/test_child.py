"""`twinshop …` as a program of its own: what it says, how it ends, and what is said if it does not get ready."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.workshop.rehearsal import child
from shared.errors import NotReadyInTime
from tests.left_behind import processes_of


def test_a_command_is_run_in_the_folder_to_its_end(tmp_path: Path) -> None:
    done = child.run(["twinshop", "check", "5"], tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "episode 5 (change-the-key) has no result yet" in done.stderr


@pytest.mark.parametrize(("target", "known"), [("install", True), ("no-such-target", False)])
def test_of_make_it_is_only_seen_that_it_would_run(tmp_path: Path, target: str, known: bool) -> None:
    assert (child.run(["make", target], tmp_path).returncode == 0) is known


def test_what_one_says_that_stays(tmp_path: Path) -> None:
    with child.running(["list", "--json"], tmp_path, "it", dict, 20.0) as said:
        assert said["schema"] == 1
    assert processes_of(tmp_path / "state") == {}


def test_one_whose_rehearsal_was_killed_is_found_by_recover(tmp_path: Path, own_state: Path) -> None:
    with child.running(["list", "--json"], tmp_path, "it", dict, 20.0):
        (page,) = (own_state / "ledger").iterdir()
        assert '"workshop"' in page.read_text()
    assert list((own_state / "ledger").iterdir()) == []


def test_one_that_does_not_get_ready_is_told_of_with_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(NotReadyInTime) as caught, child.running(["workshopp"], tmp_path, "it", dict, 20.0):
        pass
    assert "there is no command 'workshopp'" in str(caught.value)
