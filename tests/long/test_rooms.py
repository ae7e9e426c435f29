"""Five rounds of a room with three phones and thirty people beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.loadtests.workshop.test_phones import play

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]


def test_in_each_of_five_rounds_each_ones_fate_is_told_right(tmp_path: Path, own_state: Path) -> None:
    play(tmp_path, own_state, rounds=5, browsers=3)
