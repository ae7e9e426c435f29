"""A workshop is killed and interrupted at random moments, in whatever phase; nothing may be left. `make test-long`."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from loadtests.workshop.contract import Break
from loadtests.workshop.control import ask
from loadtests.workshop.host import running_workshop
from shared.errors import EnvironmentNotReady
from tests.left_behind import listening_ports, ports_of, processes_of, wait_until_gone
from tests.loadtests.command import start, twinshop

pytestmark = [pytest.mark.long, pytest.mark.cluster]

KILLS = int(os.environ.get("TWINSHOP_KILLS", "50")) // 2
INTERRUPTS = int(os.environ.get("TWINSHOP_INTERRUPTS", "20")) // 2
MOMENTS_S = 12.0
"""From the first start of anything until well into a round."""
ARGUMENTS = ("workshop", "--no-open", "--no-predict", "--shoppers", "6", "--episode", "kill-one-of-three")


def until_moment(process: subprocess.Popen[str], state: Path, moment_s: float) -> None:
    """Let that time pass, and break something as soon as it can be broken."""
    until = time.monotonic() + moment_s
    broken = False
    while time.monotonic() < until and process.poll() is None:
        time.sleep(min(0.2, max(0.0, until - time.monotonic())))
        address = None if broken else running_workshop(state)
        if address is not None:
            with suppress(EnvironmentNotReady):
                broken = ask(address.socket, address.key, Break("kill", ("left", "right"))).ok


def test_sigkill_at_random_moments_then_recover(tmp_path: Path) -> None:
    dice = random.Random(20261121)
    state = tmp_path / "state"
    hit_while_running = 0
    for number in range(KILLS):
        moment_s = dice.uniform(0.05, MOMENTS_S)
        process = start(tmp_path, *ARGUMENTS)
        try:
            until_moment(process, state, moment_s)
            ports = ports_of(state)
        finally:
            process.kill()
            process.communicate()
        hit_while_running += bool(ports)
        recovered = twinshop(tmp_path, "recover")
        where = f"kill {number} at {moment_s:.2f} s"
        assert recovered.returncode == 0, where + recovered.stderr
        assert processes_of(state) == {}, where
        assert ports & listening_ports() == set(), where
        assert list((state / "ledger").glob("*")) == [], where
        assert not (state / "workshop").exists(), where
    assert hit_while_running > KILLS / 2, "most kills must hit a workshop that has something to leave behind"


def test_ctrl_c_at_random_moments(tmp_path: Path) -> None:
    dice = random.Random(11)
    state = tmp_path / "state"
    for number in range(INTERRUPTS):
        moment_s = dice.uniform(1.0, MOMENTS_S)
        process = start(tmp_path, *ARGUMENTS)
        until_moment(process, state, moment_s)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _out, err = process.communicate(timeout=30)
        took_s = time.monotonic() - began
        where = f"Ctrl-C {number} at {moment_s:.2f} s: {err}"
        # It is how a workshop ends; one that has not begun yet is interrupted.
        assert process.returncode == (0 if "The workshop is over" in err else 130), where
        assert took_s <= 5.0, f"{took_s:.1f} s, {where}"
        assert wait_until_gone(state, 0.5) == {}, where
        assert not (state / "workshop").exists(), where
        assert "Traceback" not in err, where
