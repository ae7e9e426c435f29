"""Which test process gets which tests, and when.

Files that start Docker containers are never tested side by side: each of them looks at the end for what is left of
Docker's things. The test process that has them has the least to reckon meanwhile; so it goes on with what reckons,
while the others have clusters and browsers, which mostly wait.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

DOCKER = "docker"
_MARKED = re.compile(r"\bpytest\.mark\.(docker|browser|cluster)\b")


class Turns(LoadFileScheduling):
    """Files are given to test processes whole, as with `--dist loadfile`; all that are Docker's to the same one."""

    def __init__(self, config: pytest.Config, log: object) -> None:
        # xdist would begin with the files of most tests, and end with a process that still waits for a cluster.
        config.option.loadscopereorder = False
        super().__init__(config, log)  # type: ignore[arg-type]

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return DOCKER if turn(self.config.rootpath / file) == 0 else file

    def _assign_work_unit(self, node: WorkerController) -> None:
        if DOCKER in self.assigned_work[node]:
            reckons = next((file for file in self.workqueue if turn(self.config.rootpath / file) == 2), None)
            if reckons:
                self.workqueue.move_to_end(reckons, last=False)
        super()._assign_work_unit(node)


@cache
def turn(file: Path) -> int:
    """When a file's tests begin: first what must follow each other, then what waits for processes, then the rest."""
    marks = _MARKED.findall(file.read_text(encoding="utf-8"))
    return 0 if "docker" in marks else 1 if marks else 2


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Turns | None:
    """For pytest-xdist."""
    return Turns(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In each test process alike; where there is one only, the order stays as it is."""
    if hasattr(config, "workerinput"):
        tests = Counter(item.path for item in items)
        # Of what reckons the small files come last, so that all test processes end at nearly the same time.
        items.sort(key=lambda item: (turn(item.path), -tests[item.path] if turn(item.path) == 2 else 0))
