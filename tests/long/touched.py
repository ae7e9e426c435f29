"""Which tests enter which function, so that a mutant is tried by those that can see it; and a quick way to run them.

As a plugin of pytest (`-p tests.long.touched`) it leaves out the search for processes that a test left behind: nine
tenths of what a unit test costs, and what counts and judges starts none. With `TWINSHOP_TOUCHED=FILE` it writes, too,
what each file of tests entered.
"""

from __future__ import annotations

import ast
import importlib
import os
import pkgutil
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import CodeType, FrameType

import msgspec
import pytest

TO = "TWINSHOP_TOUCHED"
LEFT_OUT = "nothing_is_left"
AHEAD = ("hypothesis", "hypothesis.strategies", "playwright.sync_api", "compose.architectures", "compose.cluster")
ROOMS_BELOW = ("loadtests.model", "loadtests.faults", "loadtests.behaviours")
"""They import none of the rooms that mutants are in."""

_entered: dict[str, set[CodeType]] = defaultdict(set)
_took: dict[str, float] = defaultdict(float)


class Touched(msgspec.Struct, frozen=True):
    """Of one file of tests."""

    seconds: float
    functions: set[str]
    """`FILE:LINE`, as `function_at` names them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without the search for processes."""
    for item in items:
        assert isinstance(item, pytest.Function)
        if LEFT_OUT in item.fixturenames:
            item.fixturenames.remove(LEFT_OUT)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Note every function that is called while the test runs, its fixtures included."""
    if TO not in os.environ:
        return (yield)
    path = item.location[0]
    codes = _entered[path]

    def enter(frame: FrameType, _event: str, _argument: object) -> None:
        codes.add(frame.f_code)  # no tracer is returned: its lines are not followed

    began = time.monotonic()
    threading.settrace(enter)
    sys.settrace(enter)
    try:
        return (yield)
    finally:
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]
        _took[path] += time.monotonic() - began


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write it."""
    if TO not in os.environ:
        return
    here = f"{session.config.rootpath}{os.sep}"
    touched = {
        path: Touched(
            round(_took[path], 2),
            {
                f"{code.co_filename.removeprefix(here)}:{code.co_firstlineno}"
                for code in codes
                if code.co_filename.startswith(f"{here}loadtests")
            },
        )
        for path, codes in _entered.items()
    }
    Path(os.environ[TO]).write_bytes(msgspec.json.encode(touched))


def read_touched(path: Path) -> dict[str, Touched]:
    """What a run of the tests has written, by the file of tests."""
    return msgspec.json.decode(path.read_bytes(), type=dict[str, Touched])


def function_at(path: str, source: bytes, line: int) -> str:
    """The innermost function around that line, as Python names its code: by the line of its first decorator."""
    around = [
        min(each.lineno for each in (node, *node.decorator_list))
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef) and node.lineno <= line <= (node.end_lineno or 0)
    ]
    return f"{path}:{max(around, default=0)}"


def stages(path: str, line: int, root: Path, touched: Mapping[str, Touched]) -> list[list[str]]:
    """The files of tests to try for a change in that line, those that are nearest first.

    Its own, then all that enter its function: its room's first, the quick ones before the slow ones. If none does (it
    runs in other processes, say), all of its room.
    """
    room = path.split("/")[1]
    function = function_at(path, (root / path).read_bytes(), line)

    def order(tests: str) -> tuple[bool, float]:
        return (tests.split("/")[2] != room, touched[tests].seconds)

    own = f"tests/loadtests/{room}/test_{Path(path).stem}.py"
    found = [tests for tests, about in touched.items() if function in about.functions]
    found = found or [tests for tests in touched if tests.split("/")[2] == room]
    others = sorted((tests for tests in found if tests != own), key=order)
    return [stage for stage in ([own] if (root / own).is_file() else [], others) if stage]


def serve() -> None:
    """Run pytest again and again: each line of the input is what it is told; a process of its own answers each.

    That is a copy of this one, which has imported what no mutant is in: half of what a short test costs. Each is told
    of in two lines, the number of its process group when it begins and its exit code when it has ended.
    """
    for name in AHEAD:
        importlib.import_module(name)
    for room in ROOMS_BELOW:
        for module in pkgutil.walk_packages(importlib.import_module(room).__path__, f"{room}."):
            importlib.import_module(module.name)
    for line in sys.stdin.buffer:
        words = msgspec.json.decode(line, type=list[str])
        pid = os.fork()
        if not pid:
            os.setsid()
            os.dup2(os.open(os.devnull, os.O_RDWR), 0)
            for stream in (1, 2):
                os.dup2(0, stream)
            # hypothesis was imported before pytest could rewrite its assertions: nobody needs them
            os._exit(pytest.main([*words, "-W", "ignore::pytest.PytestAssertRewriteWarning"]))
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
