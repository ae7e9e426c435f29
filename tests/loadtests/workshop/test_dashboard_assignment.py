"""What the dashboard is told is whole, and for its owner only."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.model.run_folder import read_document
from loadtests.workshop.dashboard_assignment import DashboardAssignment, DashboardReady, read_ready, write_for_owner
from loadtests.workshop.listen_addresses import ListenAddress
from shared.errors import RunFolderError


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    told = DashboardAssignment(
        "w/workshop.json", "w/ready.json", "a token", "127.0.0.1:4000", "a key",
        ListenAddress("teacher.local", 8080, "apple-42"),
    )  # fmt: skip
    write_for_owner(tmp_path / "dashboard.json", told)
    assert read_document(tmp_path / "dashboard.json", DashboardAssignment) == told


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    write_for_owner(tmp_path / "dashboard.json", DashboardAssignment("workshop.json", "ready.json", "a token"))
    assert (tmp_path / "dashboard.json").stat().st_mode & 0o077 == 0


def test_a_damaged_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "dashboard.json").write_text("{}")
    with pytest.raises(RunFolderError, match=r"dashboard\.json"):
        read_document(tmp_path / "dashboard.json", DashboardAssignment)


def test_it_tells_where_it_listens_once_it_does(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    assert read_ready(path) is None
    write_for_owner(path, DashboardReady(17, "127.0.0.1", 8080))
    assert read_ready(path) == DashboardReady(17, "127.0.0.1", 8080)
