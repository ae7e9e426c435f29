"""What every test gets: a state folder of its own, and a check that it left nothing behind."""

from __future__ import annotations

import gc
import os
import shlex
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from compose.supervision import ports
from tests import without_netlink
from tests.browsers import NO_CHROMIUM, chromium_program
from tests.left_behind import left_over, outlives_a_test
from tests.turns import pytest_collection_modifyitems as pytest_collection_modifyitems
from tests.turns import pytest_xdist_make_scheduler as pytest_xdist_make_scheduler
from tests.waiting import until

GONE_WITHIN_S = 30.0
SHOWN_WITHIN_MS = 60_000
"""A bound, not a speed: other tests run beside this one."""

# With it, thousands of processes that the tests start would compile all that they import, each for itself.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Whoever starts the tests in the background has them, and all that they start, ignore Ctrl-C, which they send.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """The collector need not look at ten thousand tests, neither while they are found nor again and again later."""
    gc.disable()
    try:
        yield
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_addoption(parser: pytest.Parser) -> None:
    """For `tests/golden`."""
    parser.addoption("--update-golden", action="store_true", help="write anew what the recorded runs come to")


@pytest.fixture(scope="session")
def update_golden(pytestconfig: pytest.Config) -> bool:
    """Whether the golden files are to be written, not compared."""
    return bool(pytestconfig.getoption("--update-golden"))


class _InTurn:
    """In place of chance: nobody is given a port that somebody else was given a moment ago."""

    def __init__(self) -> None:
        self._turns = count()

    def SystemRandom(self) -> _InTurn:  # noqa: N802, as the module that it stands for calls it
        return self

    def randrange(self, lowest: int, above: int) -> int:
        return lowest + next(self._turns) % (above - lowest)


@pytest.fixture(scope="session", autouse=True)
def ports_of_our_own() -> Iterator[None]:
    """Each test process chooses ports below those that programs choose from, and where no other test process does.

    Between being chosen and being listened on, and while a part is dead, a port is free for whoever comes.
    """
    with pytest.MonkeyPatch.context() as patch, socket.socket() as claim:
        lowest = _claimed(claim)
        patch.setattr(ports, "_LOWEST", lowest + 1)
        patch.setattr(ports, "_highest", lambda: lowest + PORTS_EACH)
        patch.setattr(ports, "random", _InTurn())
        yield


PORTS_EACH = 500


def _claimed(claim: socket.socket) -> int:
    """The lowest of a range of ports that is ours while that socket lives: another session of tests may run beside."""
    for lowest in range(10_000, 15_000, PORTS_EACH):
        with suppress(OSError):
            claim.bind(("127.0.0.1", lowest))
            return lowest
    pytest.exit("ten processes of tests run on this machine already, and each range of ports is another one's", 4)


_numbers = count()


@pytest.fixture(autouse=True)
def own_state(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Every test has its own ledger and its own runs, so that tests can run side by side; where it has a folder, there.

    It is not given a `tmp_path` for that: to number one pytest looks at all that it has made, thousands by the end.
    """
    if "tmp_path" in request.fixturenames:
        folder: Path = request.getfixturevalue("tmp_path")
    else:
        folder = tmp_path_factory.getbasetemp() / "states" / str(next(_numbers))
        folder.mkdir(parents=True)
    state = folder / "state"
    monkeypatch.setenv("TWINSHOP_STATE", str(state))
    return state


@pytest.fixture(autouse=True)
def no_temp_file_is_left(own_state: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test, and whatever it starts, that leaves a file in the folder for temporary files fails.

    The folder has a short name of its own: the path of a Unix socket in it must stay below 108 bytes.
    """
    folder = tempfile.mkdtemp(prefix="tw-")
    monkeypatch.setenv("TMPDIR", folder)
    monkeypatch.setattr(tempfile, "tempdir", folder)
    yield
    left = [path.name for path in Path(folder).iterdir()]
    shutil.rmtree(folder)
    assert not left, f"the test left temporary files behind: {left}"


@pytest.fixture(autouse=True)
def nothing_is_left(own_state: Path, no_temp_file_is_left: None) -> Iterator[None]:
    """A test that leaves a process (and with it a port) fails, whatever else it found."""
    before = set(psutil.pids())
    yield
    if not left_over(own_state, before):
        return
    until(lambda: not left_over(own_state, before), GONE_WITHIN_S)
    left = left_over(own_state, before)
    for pid in left:
        with suppress(psutil.NoSuchProcess):
            psutil.Process(pid).kill()
    assert not left, f"the test left processes behind: {left}"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A real Chromium, one for a module's tests. It starts processes late: it answers for them itself, at its end.

    Without one on the machine, browser tests are skipped; in continuous integration they fail.
    """
    program = chromium_program()
    if program is None:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(NO_CHROMIUM)
    expect.set_options(timeout=SHOWN_WITHIN_MS)
    folder = tmp_path_factory.mktemp("chromium")
    start = folder / "chromium-without-netlink"
    start.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, without_netlink.__file__, program])} "$@"\n')
    start.chmod(0o755)
    with outlives_a_test(folder) as started, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=start, args=["--no-sandbox"])
        started()
        yield browser
        browser.close()


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """Chromium as if it were new: what a test has opened is closed behind it, with its cookies and its storage."""
    yield chromium
    for context in chromium.contexts:
        context.close()
