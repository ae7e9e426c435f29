"""Docker's tests and Chromium's are given to one test process, first; what waits comes before what reckons."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.one_network import touches_the_network, turn

TESTS = Path(__file__).parent


@pytest.mark.parametrize(
    ("file", "when"),
    [
        ("compose/engines/test_docker.py", 0),
        ("loadtests/workshop/dashboard/test_page_in_browser.py", 0),
        ("compose/test_by_hand.py", 0),
        ("compose/engines/test_processes.py", 1),
        ("loadtests/workshop/dashboard/test_reveal_policy.py", 2),
    ],
)
def test_files_are_known_by_their_marks(file: str, when: int) -> None:
    assert touches_the_network(TESTS / file) == (when == 0)
    assert turn(TESTS / file) == when


def test_whatever_uses_the_browser_is_marked() -> None:
    """Without its mark it would run beside Docker's tests."""
    asks_for_it = re.compile(r"^def \w+\([^)]*\bbrowser: Browser", re.MULTILINE)
    users = {path for path in TESTS.rglob("test_*.py") if asks_for_it.search(path.read_text())}
    assert users
    assert {path for path in users if not touches_the_network(path)} == set()
