"""`twinshop …` as a program of its own: what it says, how it ends, and what is said if it does not get ready."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.workshop.rehearsal import child
from shared.errors import NotReadyInTime


def test_a_command_is_run_in_the_folder_to_its_end(tmp_path: Path) -> None:
    done = child.run(["check", "5"], tmp_path)
    assert (done.code, done.said) == (2, "")
    assert "episode 5 (change-the-key) has no result yet" in done.complained


def test_the_first_line_of_one_that_stays(tmp_path: Path) -> None:
    with child.Running(["list", "--json"], tmp_path, tmp_path / "log") as running:
        assert running.first_line(20.0).startswith(b"{")
        code = running.end()
    assert running.end() == code


def test_one_that_does_not_get_ready_is_told_of_with_the_end_of_its_log(tmp_path: Path) -> None:
    with child.Running(["workshopp"], tmp_path, tmp_path / "log") as running, pytest.raises(NotReadyInTime) as caught:
        running.first_line(20.0)
    assert "there is no command 'workshopp'" in str(caught.value)
