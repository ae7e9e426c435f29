"""Tests that start Docker containers and tests that drive Chromium never run side by side, in whatever processes.

Docker makes and removes networks of the machine; Chromium then drops whatever it is loading (ERR_NETWORK_CHANGED).
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from xdist.scheduler import LoadFileScheduling

TOGETHER = "docker and browser"
_MARKED = re.compile(r"\bpytest\.mark\.(docker|browser)\b")


class OneNetwork(LoadFileScheduling):
    """Files are given to test processes whole, as with `--dist loadfile`; all that are so marked to the same one."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return TOGETHER if touches_the_network(self.config.rootpath / file) else file


@cache
def touches_the_network(file: Path) -> bool:
    """Whether tests in that file are marked as docker's or a browser's."""
    return bool(_MARKED.search(file.read_text(encoding="utf-8")))


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> OneNetwork | None:
    """For pytest-xdist."""
    return OneNetwork(config, log) if config.getoption("dist") == "loadfile" else None  # type: ignore[arg-type]
