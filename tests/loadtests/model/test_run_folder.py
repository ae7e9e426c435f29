"""A new run's folder is made, or it is said why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.model.run_folder import make_folder
from shared.errors import EnvironmentNotReady, UsageError


def test_it_is_made_with_all_above_it(tmp_path: Path) -> None:
    assert make_folder(tmp_path / "runs" / "one") == tmp_path / "runs" / "one"
    assert (tmp_path / "runs" / "one").is_dir()


def test_nothing_is_written_into_one_that_is_there(tmp_path: Path) -> None:
    make_folder(tmp_path / "one")
    with pytest.raises(UsageError, match="one exists already"):
        make_folder(tmp_path / "one")


def test_what_is_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    with pytest.raises(EnvironmentNotReady, match="cannot make the folder") as refused:
        make_folder(tmp_path / "runs" / "one")
    assert refused.value.next_step == "name another place: --runs DIR"
