"""Which test process gets which tests, and when.

Tests that start Docker containers and tests that drive Chromium never run side by side, in whatever processes: Docker
makes and removes networks of the machine; Chromium then drops whatever it is loading (ERR_NETWORK_CHANGED).
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from xdist.scheduler import LoadFileScheduling

TOGETHER = "docker and browser"
_MARKED = re.compile(r"\bpytest\.mark\.(docker|browser|cluster)\b")


class OneNetwork(LoadFileScheduling):
    """Files are given to test processes whole, as with `--dist loadfile`; all that are so marked to the same one."""

    def __init__(self, config: pytest.Config, log: object) -> None:
        # xdist would begin with the files of most tests, and end with a process that still waits for a cluster.
        config.option.loadscopereorder = False
        super().__init__(config, log)  # type: ignore[arg-type]

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return TOGETHER if touches_the_network(self.config.rootpath / file) else file


@cache
def _marks(file: Path) -> frozenset[str]:
    return frozenset(_MARKED.findall(file.read_text(encoding="utf-8")))


def touches_the_network(file: Path) -> bool:
    """Whether tests in that file are marked as docker's or a browser's."""
    return bool(_marks(file) & {"docker", "browser"})


def turn(file: Path) -> int:
    """When a file's tests begin: first what must follow each other, then what waits for processes, then the rest."""
    return 0 if touches_the_network(file) else 1 if _marks(file) else 2


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> OneNetwork | None:
    """For pytest-xdist."""
    return OneNetwork(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In each test process alike; where there is one only, the order stays as it is."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: turn(item.path))
