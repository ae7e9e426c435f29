"""Every bad input that a user can give: a clear error, the right exit code, nothing left behind, nothing lost."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.golden.product import twinshop as called
from tests.left_behind import processes_of, wait_until_gone
from tests.loadtests.command import SMALL_KILL, start, twinshop

SMALL = """
question = "Is anybody lost?"
family = "control"
nodes = 1
[load]
shoppers = 4
seconds = {seconds}
login_within_ms = 300
[expect.redis]
logged_out = "0"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "small.toml").write_text(SMALL.format(seconds=2))
    (tmp_path / "slow.toml").write_text(SMALL.format(seconds=30))
    return tmp_path


def refused(done: subprocess.CompletedProcess[str], code: int, *says: str) -> None:
    """It ended with that code, and said what, without a traceback and without a word on stdout."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    complains(done.stderr, *says)


def complains(complaint: str, *says: str) -> None:
    assert "Traceback" not in complaint
    for words in says:
        assert words in complaint, complaint


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("[load]", "[load"), ("bad.toml, line 5",)),
        (('kind = "kill"', 'kind = "kil"'), ("fault[0].kind", "'kil'", "kill")),
        (("at_s = 2.5", "at_s = -2.5"), ("fault[0].at_s", "-2.5")),
        (("heal_after_s = 1.5", "heal_after_s = 60"), ("fault[0].heal_after_s",)),
        (("seconds = 6", "seconds = nan"), ("load.seconds",)),
        (('family = "availability"', f'family = "availability"\nnodes = {10**30}'), ("nodes", "from 1 to 32")),
        (("shoppers = 24", "shoppers = 0"), ("load.shoppers",)),
        (("shoppers = 24", "shopers = 24"), ("shopers", "shoppers")),
        (("shoppers = 24", 'shoppers = "many"'), ("load.shoppers",)),
        (("[expect.redis]", "[expect.reddis]"), ("reddis", "redis")),
        (('logged_out = "at_risk"', 'logged_out = "__import__(1)"'), ("expect.sticky-memory.logged_out",)),
        (('wrong_user = "0"', 'wrong_users = "0"'), ("wrong_users", "wrong_user")),
    ],
)
def test_a_scenario_that_makes_no_sense(home: Path, change: tuple[str, str], says: tuple[str, ...]) -> None:
    assert change[0] in SMALL_KILL
    (home / "bad.toml").write_text(SMALL_KILL.replace(*change, 1))
    for command in ("plan", "run"):
        done = called(home, command, "bad.toml")
        assert (done.code, done.said) == (2, b""), done.complained
        complains(done.complained, *says)
    assert not (home / "runs").exists()


def test_an_unknown_architecture(home: Path) -> None:
    refused(twinshop(home, "run", "small.toml", "--architecture", "redis-cluster"), 2, "redis-cluster", "signed-token")


def test_a_place_that_may_not_be_written(home: Path) -> None:
    forbidden = home / "forbidden"
    forbidden.mkdir(mode=0o500)
    # root may write everywhere, but not there
    place = "/sys/twinshop" if os.geteuid() == 0 and sys.platform == "linux" else str(forbidden)
    refused(twinshop(home, "run", "small.toml", "--runs", place), 4, place, "--runs")


def test_a_state_folder_that_may_not_be_written(home: Path) -> None:
    (home / "state").write_text("a file stands where the ledger should be")
    refused(twinshop(home, "run", "small.toml"), 4, "state")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("only root may mount the small disk that is to be filled")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.cluster
def test_a_disk_that_fills_up_in_the_middle(home: Path, small_disk: Path) -> None:
    done = twinshop(home, "run", "calm", "--architecture", "redis", "--runs", str(small_disk / "runs"))
    refused(done, 4, "No space left", "free some space")
    assert processes_of(home / "state") == {}
    assert list((home / "state" / "ledger").glob("*")) == []


@pytest.mark.cluster
def test_a_port_that_is_taken(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = twinshop(home, "up", "--architecture", "redis", "--port", str(port))
        refused(done, 4, str(port))
    assert processes_of(home / "state") == {}


@pytest.mark.cluster
def test_two_runs_at_once(home: Path) -> None:
    first = start(home, "run", "slow.toml", "--architecture", "redis")
    try:
        assert first.stderr is not None
        for line in first.stderr:
            if "load," in line:
                break
        refused(twinshop(home, "run", "small.toml", "--architecture", "redis"), 4, "run")
        assert first.poll() is None, "the first run goes on"
        assert processes_of(home / "state")
    finally:
        first.terminate()
        first.communicate(timeout=40)
    assert first.returncode == 130
    assert wait_until_gone(home / "state", 20) == {}


@pytest.mark.cluster
def test_a_history_that_was_cut_off_or_changed(home: Path) -> None:
    done = twinshop(home, "run", "small.toml", "--architecture", "redis", "-q")
    assert done.returncode == 0, done.stderr
    history = home / "runs" / "latest" / "history.ndjson"
    whole = history.read_bytes()
    history.write_bytes(whole[:-7])
    refused(twinshop(home, "check", "runs/latest"), 2, "history.ndjson, line")
    lines = whole.splitlines(keepends=True)
    history.write_bytes(b"".join(lines[: len(lines) // 2]))
    refused(twinshop(home, "check", "runs/latest"), 2, "says otherwise than its evidence")
    assert twinshop(home, "report", "runs/latest").returncode == 0
    assert twinshop(home, "check", "runs/latest").returncode == 3, "half a history: the books cannot balance"
    history.write_bytes(b"\x00garbage\n" + whole)
    refused(twinshop(home, "report", "runs/latest"), 2, "history.ndjson, line 1")
    history.write_bytes(whole)
    assert twinshop(home, "report", "runs/latest").returncode == 0
    assert twinshop(home, "check", "runs/latest").returncode == 0
