from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from compose.supervision.child import Child, spawn
from compose.supervision.ledger import Ledger
from compose.supervision.ledger_file import Intent, Spawned, read_page
from compose.supervision.process_table import birth_of, is_alive, living_in_group, living_of_run
from shared.errors import EnvironmentNotReady
from tests.waiting import until

RUN = secrets.token_hex(4)  # the tests may run side by side
SLEEP = [sys.executable, "-c", "print('ready', flush=True); import time; time.sleep(60)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)",
]
WITH_A_WORKER = [
    sys.executable,
    "-c",
    "import os, time; print('ready', flush=True) if os.fork() else None; time.sleep(60)",
]


@pytest.fixture
def ledger(own_state: Path) -> Iterator[Ledger]:
    with Ledger.open(own_state, RUN) as ledger:
        yield ledger


def started(ledger: Ledger, args: list[str], log: Path) -> Child:
    child = spawn(ledger, "part", args, env={}, log=log)
    assert until(lambda: "ready" in log.read_text())
    return child


def test_a_child_has_a_session_of_its_own_and_is_written_down(ledger: Ledger, tmp_path: Path) -> None:
    child = started(ledger, SLEEP, tmp_path / "log")
    assert os.getsid(child.pid) == child.pid
    assert child.alive()
    assert read_page(ledger.path).entries[1:] == (Intent("part"), Spawned("part", child.pid, child.born))
    assert living_of_run(RUN) == {child.pid}
    child.kill()
    assert child.wait(60) == -signal.SIGKILL
    assert not child.alive()
    child.kill()


def test_what_it_says_is_appended_to_its_log_and_what_it_gets_is_added(ledger: Ledger, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("before\n")
    show = "import os, sys; print(os.environ['A'], os.environ['TWINSHOP_RUN'], 'PATH' in os.environ, os.getcwd()); "
    args = [sys.executable, "-c", show + "sys.stdout.flush(); print('oops', file=sys.stderr); exit(3)"]
    child = spawn(ledger, "part", args, env={"A": "b", "TWINSHOP_RUN": "no"}, log=log, cwd=tmp_path)
    assert child.wait(60) == 3
    assert log.read_text() == f"before\nb {RUN} True {tmp_path}\noops\n"


def test_waiting_has_a_bound(ledger: Ledger, tmp_path: Path) -> None:
    child = started(ledger, DEAF, tmp_path / "log")
    child.terminate()
    assert child.wait(0.05) is None
    assert child.exit_code is None
    child.kill()
    assert child.wait(60) == -signal.SIGKILL


@pytest.mark.parametrize("_again", range(8))  # what is on its way out is easily overlooked, but not each time
def test_a_group_lives_until_its_last_member_is_gone(_again: int, ledger: Ledger, tmp_path: Path) -> None:
    child = started(ledger, WITH_A_WORKER, tmp_path / "log")
    assert len(living_in_group(child.pid)) == 2
    os.kill(child.pid, signal.SIGKILL)
    assert until(lambda: child.exit_code == -signal.SIGKILL)
    assert child.alive()
    child.kill()
    assert child.gone(20)
    assert living_in_group(child.pid) == set()


def test_another_process_can_take_hold_of_it(ledger: Ledger, tmp_path: Path) -> None:
    child = started(ledger, SLEEP, tmp_path / "log")
    script = (
        "import sys; from compose.supervision.child import Child\n"
        "child = Child('part', int(sys.argv[1]), sys.argv[2], sys.argv[3])\n"
        "assert child.alive(); child.kill(); assert child.gone(20); assert child.wait(0) is None"
    )
    subprocess.run([sys.executable, "-c", script, str(child.pid), child.born, RUN], check=True, timeout=20)
    assert child.wait(60) == -signal.SIGKILL


def test_a_pid_that_now_belongs_to_another_is_not_touched(ledger: Ledger, tmp_path: Path) -> None:
    foreign = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    try:
        stale = Child("part", foreign.pid, "some other birth", RUN)
        assert not stale.alive()
        stale.kill()
        stale.terminate()
        assert stale.gone(0.1)
        with pytest.raises(subprocess.TimeoutExpired):
            foreign.wait(0.2)
        assert is_alive(foreign.pid, birth_of(foreign.pid) or "")
    finally:
        foreign.kill()
        foreign.wait()


def test_a_program_that_cannot_be_started_is_named(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentNotReady, match="cannot start part") as raised:
        spawn(ledger, "part", [str(tmp_path / "no-such-program")], env={}, log=tmp_path / "log")
    assert "no-such-program" in raised.value.why


def test_a_program_that_is_not_on_the_path_is_called_so(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentNotReady, match="cannot start part") as raised:
        spawn(ledger, "part", ["no-such-program"], env={}, log=tmp_path / "log")
    assert raised.value.why == "there is no program `no-such-program` on the PATH"
    assert "[node]" in raised.value.next_step


def test_a_script_whose_interpreter_is_missing_is_called_so(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "a-script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentNotReady, match="cannot start part") as raised:
        spawn(ledger, "part", ["a-script"], env={}, log=tmp_path / "log")
    assert raised.value.why == f"{script} is there, and the program that its first line names is not"


def test_without_a_ledger_nothing_is_started(ledger: Ledger, tmp_path: Path) -> None:
    ledger.path.unlink()
    with pytest.raises(EnvironmentNotReady, match="ledger"):
        spawn(ledger, "part", SLEEP, env={}, log=tmp_path / "log")
    assert living_of_run(RUN) == set()


def test_closing_the_ledger_ends_what_was_forgotten(own_state: Path, tmp_path: Path) -> None:
    with Ledger.open(own_state, RUN + "b") as ledger:
        child = started(ledger, WITH_A_WORKER, tmp_path / "log")
    assert not child.alive()
