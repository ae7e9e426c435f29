"""Docker's tests and Chromium's are given to one test process."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.one_network import touches_the_network

TESTS = Path(__file__).parent


@pytest.mark.parametrize(
    ("file", "touches"),
    [
        ("compose/engines/test_docker.py", True),
        ("loadtests/workshop/dashboard/test_page_in_browser.py", True),
        ("compose/test_by_hand.py", True),
        ("loadtests/workshop/dashboard/test_reveal_policy.py", False),
    ],
)
def test_files_that_touch_the_network_are_known_by_their_marks(file: str, touches: bool) -> None:
    assert touches_the_network(TESTS / file) == touches


def test_whatever_uses_the_browser_is_marked() -> None:
    """Without its mark it would run beside Docker's tests."""
    asks_for_it = re.compile(r"^def \w+\([^)]*\bbrowser: Browser", re.MULTILINE)
    users = {path for path in TESTS.rglob("test_*.py") if asks_for_it.search(path.read_text())}
    assert users
    assert {path for path in users if not touches_the_network(path)} == set()
