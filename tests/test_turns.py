"""Docker's tests are given to one test process, first, which then reckons; what waits comes before what reckons."""

from __future__ import annotations

import re
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest

from tests.turns import DOCKER, Turns, turn

TESTS = Path(__file__).parent


@pytest.mark.parametrize(
    ("file", "when"),
    [
        ("compose/engines/test_docker.py", 0),
        ("compose/test_by_hand.py", 0),
        ("loadtests/workshop/dashboard/test_page_in_browser.py", 1),
        ("compose/engines/test_processes.py", 1),
        ("loadtests/workshop/dashboard/test_reveal_policy.py", 2),
    ],
)
def test_files_are_known_by_their_marks(file: str, when: int) -> None:
    assert turn(TESTS / file) == when


def test_whatever_uses_the_browser_is_marked() -> None:
    """Without its mark it would begin last."""
    asks_for_it = re.compile(r"^def \w+\([^)]*\bbrowser: Browser", re.MULTILINE)
    users = {path for path in TESTS.rglob("test_*.py") if asks_for_it.search(path.read_text())}
    assert users
    assert {path for path in users if turn(path) == 2} == set()


class Process:
    """A test process that only notes what it is given."""

    def __init__(self) -> None:
        self.given: list[int] = []

    def send_runtest_some(self, tests: list[int]) -> None:
        self.given += tests


def test_who_has_docker_reckons_next_and_the_others_have_what_waits(pytestconfig: pytest.Config) -> None:
    files = ["test_findings.py", "loadtests/test_inconclusive.py", "test_turns.py", "shared/test_twins.py"]
    tests = [f"tests/{file}::test_it" for file in files]
    of_docker, another = Process(), Process()
    turns: Any = Turns.__new__(Turns)
    turns.config = pytestconfig
    turns.workqueue = OrderedDict((test.partition("::")[0], {test: False}) for test in tests)
    turns.registered_collections = {of_docker: tests, another: tests}
    turns.assigned_work = {of_docker: {DOCKER: {}}, another: {}}
    for process in (of_docker, another, of_docker, another):
        turns._assign_work_unit(process)
    assert (of_docker.given, another.given) == ([2, 3], [0, 1])
