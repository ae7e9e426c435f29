"""A room for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.loadtests.workshop.dashboard.room import Room


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """On this machine only: nobody needs a join code."""
    return Room(tmp_path)


@pytest.fixture
def open_room(tmp_path: Path) -> Room:
    """Open to a room of people, with a join code."""
    return Room(tmp_path, join_code="apple-42")
