"""The harness is killed and interrupted at random moments; nothing may be left behind. `make test-long`."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.left_behind import listening_ports, ports_of, processes_of, wait_until_gone
from tests.loadtests.command import SMALL_KILL, start, twinshop

pytestmark = [pytest.mark.long, pytest.mark.cluster]

KILLS = int(os.environ.get("TWINSHOP_KILLS", "50"))
INTERRUPTS = int(os.environ.get("TWINSHOP_INTERRUPTS", "20"))
MOMENTS_S = 15.5
"""A small run of two architectures takes about this long: the moments fall into every phase of it."""
BEFORE_THE_END_S = 13.0
"""It surely still goes on then: a run that has ended cannot be interrupted any more."""
ARGUMENTS = ("run", "small.toml", "--architecture", "sticky-memory", "--architecture", "redis")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "small.toml").write_text(SMALL_KILL)
    return tmp_path


def test_sigkill_at_random_moments_then_recover(home: Path) -> None:
    dice = random.Random(20261121)
    hit_while_running = 0
    for number in range(KILLS):
        moment_s = dice.uniform(0.05, MOMENTS_S)
        process = start(home, *ARGUMENTS)
        try:
            time.sleep(moment_s)
            ports = ports_of(home / "state")
        finally:
            process.kill()
            process.communicate()
        hit_while_running += bool(ports)
        recovered = twinshop(home, "recover")
        assert recovered.returncode == 0, recovered.stderr
        where = f"kill {number} at {moment_s:.2f} s"
        assert processes_of(home / "state") == {}, where
        assert ports & listening_ports() == set(), where
        assert list((home / "state" / "ledger").glob("*")) == [], where
    assert hit_while_running > KILLS / 2, "most kills must hit a run that has something to leave behind"


def test_ctrl_c_at_random_moments(home: Path) -> None:
    dice = random.Random(11)
    for number in range(INTERRUPTS):
        moment_s = dice.uniform(0.3, BEFORE_THE_END_S)
        process = start(home, *ARGUMENTS)
        time.sleep(moment_s)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _out, err = process.communicate(timeout=30)
        took_s = time.monotonic() - began
        where = f"Ctrl-C {number} at {moment_s:.2f} s: {err}"
        assert process.returncode == 130, where
        assert took_s <= 5.0, f"{took_s:.1f} s, {where}"
        assert wait_until_gone(home / "state", 0.5) == {}, where
        assert "Traceback" not in err, where
