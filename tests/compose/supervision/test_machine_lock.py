from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from compose.supervision.ledger import hold_machine
from shared.errors import Busy, EnvironmentNotReady

HOLDER = """
import sys, time
from compose.supervision.ledger import hold_machine, state_folder
with hold_machine(state_folder()):
    print("held", flush=True)
    time.sleep(60)
"""


def test_one_at_a_time_and_let_go_by_death(own_state: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Busy, match="another run"), hold_machine(own_state):
            pass
    finally:
        holder.kill()
        holder.communicate()
    with hold_machine(own_state):
        pass
    with hold_machine(own_state):
        pass


def test_a_state_folder_that_is_none_is_an_error_of_the_environment(own_state: Path) -> None:
    own_state.write_text("a file in its place")
    with pytest.raises(EnvironmentNotReady, match="cannot lock"), hold_machine(own_state):
        pass
