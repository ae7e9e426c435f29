"""Calls `twinshop` as a user does: as a program, in a folder and with a state of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SMALL_KILL = """
question = "Who gets logged out when one of three nodes dies in a small shop?"
family = "availability"

[load]
shoppers = 24
seconds = 6
think_ms = 300
login_within_ms = 1000

[[fault]]
kind = "kill"
at_s = 2.5
heal_after_s = 1.5

[expect.sticky-memory]
logged_out = "at_risk"
wrong_user = "0"

[expect.roundrobin-memory]
logged_out = ">= 0.9 * U"

[expect.signed-token]
logged_out = "0"
items_lost = "0"

[expect.redis]
logged_out = "0"
items_lost = "0"
"""


def environment(state: Path) -> dict[str, str]:
    """This process's, with a state folder of its own and nothing that colours."""
    return {**os.environ, "TWINSHOP_STATE": str(state), "NO_COLOR": "1"}


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """`twinshop …`, running, in that folder; its state is `folder/state`."""
    return subprocess.Popen(
        [sys.executable, "-m", "loadtests.cli", *arguments],
        cwd=folder,
        env=environment(folder / "state"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def twinshop(folder: Path, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """`twinshop …`, to its end."""
    process = start(folder, *arguments)
    try:
        out, err = process.communicate(timeout=timeout)
    except BaseException:
        process.kill()
        process.communicate()
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)
