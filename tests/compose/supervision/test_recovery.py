"""What a dead harness left is undone, by proof only.

Every test process has run ids of its own: tests may run side by side, and recovery finds a run's processes anywhere.
"""

from __future__ import annotations

import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import pytest

from compose.architectures import ARCHITECTURES
from compose.supervision import recovery
from compose.supervision.ledger import Ledger, Recovered, recover
from compose.supervision.ledger_file import Folder, Intent, Kept, Owner, Spawned, ledgers
from compose.supervision.process_table import birth_of, is_alive, living_of_run
from tests.left_behind import ports_of, processes_of
from tests.waiting import until

DEAD, MINE, OTHER = (secrets.token_hex(4) for _ in range(3))

HARNESS = """
import sys, time
from pathlib import Path
from compose.supervision.child import spawn
from compose.supervision import recovery
from compose.supervision.ledger import Ledger, state_folder
from compose.supervision.ledger_file import Kept

folder = Path(sys.argv[1])
ledger = Ledger.open(state_folder(), sys.argv[2])
ledger.make_folder(folder / "work")
(folder / "work" / "secret").write_text("x")
for name in ("n1", "n2"):
    script = "import os, time; print(os.fork(), flush=True); time.sleep(60)"
    spawn(ledger, name, [sys.executable, "-c", script], env={}, log=folder / f"{name}.log")
%s
print("ready", flush=True)
time.sleep(60)
"""


@contextmanager
def dead_harness(folder: Path, more: str = "") -> Iterator[None]:
    """A harness that started two parts with a worker each, and was killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HARNESS % more, str(folder), DEAD], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    for name in ("n1", "n2"):
        assert until(lambda name=name: len((folder / f"{name}.log").read_text().splitlines()) == 2)  # type: ignore[misc]
    process.kill()
    process.communicate()
    yield


@contextmanager
def bystander(**environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is not ours."""
    process = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"],
        env={**os.environ, **environment},
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def survives(process: subprocess.Popen[bytes]) -> bool:
    """Whether it still lives a moment later: a signal takes one to have its effect."""
    try:
        process.wait(0.2)
    except subprocess.TimeoutExpired:
        return True
    return False


def write_ledger(state: Path, run: str, *entries: object) -> Path:
    """A ledger as somebody else might have left it."""
    path = state / "ledger" / f"{run}.ndjson"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.Encoder().encode_lines(entries))
    return path


DEAD_OWNER = Owner(4_000_000, "long ago")


def test_what_a_killed_harness_left_is_gone(own_state: Path, tmp_path: Path) -> None:
    with dead_harness(tmp_path):
        assert len(living_of_run(DEAD)) == 4
        done = recover(own_state)
    assert done.runs == (DEAD,)
    assert len(done.processes) == 4
    assert {words.partition(" ")[0] for words in done.processes} == {"n1", "n2"}
    assert done.folders == (str(tmp_path / "work"),)
    assert (done.left, done.damaged_lines) == ((), 0)
    assert living_of_run(DEAD) == set()
    assert not (tmp_path / "work").exists()
    assert (tmp_path / "n1.log").exists()
    assert ledgers(own_state) == []
    assert recover(own_state) == Recovered()
    assert recover(own_state).lines() == []
    assert len(done.lines()) == 3


def test_a_frozen_process_is_ended_too(own_state: Path, tmp_path: Path) -> None:
    with dead_harness(tmp_path):
        for pid in living_of_run(DEAD):
            os.kill(pid, signal.SIGSTOP)
        assert len(recover(own_state).processes) == 4


def test_a_worker_that_outlived_its_leader_is_ended(own_state: Path, tmp_path: Path) -> None:
    with dead_harness(tmp_path):
        leaders = {pid for pid in living_of_run(DEAD) if os.getpgid(pid) == pid}
        for pid in leaders:
            os.kill(pid, signal.SIGKILL)
        assert until(lambda: not leaders & living_of_run(DEAD))
        assert len(recover(own_state).processes) == 2


def test_a_process_that_was_never_written_down_is_found_by_its_environment(own_state: Path) -> None:
    write_ledger(own_state, DEAD, DEAD_OWNER, Intent("n1"))
    with bystander(TWINSHOP_RUN=DEAD) as lost, bystander(TWINSHOP_RUN=OTHER) as other:
        assert until(lambda: lost.pid in living_of_run(DEAD))
        done = recover(own_state)
        assert done.processes == (f"a process of the run (pid {lost.pid})",)
        assert lost.wait(60) == -signal.SIGKILL
        assert survives(other)


class Clock:
    """Stands still but for what is slept: how long this machine takes for the rest is not what is tried."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        time.sleep(seconds)


def test_a_process_on_its_way_is_waited_for(own_state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between intent and start: what appears a moment later is found as well."""
    write_ledger(own_state, DEAD, DEAD_OWNER, Intent("n1"))
    late: list[int] = []

    def look(run: str) -> set[int]:
        found = living_of_run(run)
        if not late:
            late.append(stack.enter_context(bystander(TWINSHOP_RUN=DEAD)).pid)
        return found

    monkeypatch.setattr(recovery, "living_of_run", look)
    monkeypatch.setattr(recovery, "time", Clock())
    with ExitStack() as stack:
        assert recover(own_state).processes == (f"a process of the run (pid {late[0]})",)


def test_a_pid_used_again_by_a_stranger_is_not_touched(own_state: Path) -> None:
    with bystander() as stranger:
        write_ledger(own_state, DEAD, DEAD_OWNER, Intent("n1"), Spawned("n1", stranger.pid, "an earlier birth"))
        done = recover(own_state)
        assert (done.runs, done.processes) == ((DEAD,), ())
        assert survives(stranger)


def test_a_stranger_who_listens_is_not_touched(own_state: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as foreign, dead_harness(tmp_path):
        recover(own_state)
        socket.create_connection(foreign.getsockname(), timeout=20).close()


def test_a_run_whose_owner_lives_is_not_touched(own_state: Path) -> None:
    with Ledger.open(own_state, MINE), bystander(TWINSHOP_RUN=MINE) as part:
        assert recover(own_state, everything=True) == Recovered()
        assert survives(part)
        assert len(ledgers(own_state)) == 1


def test_an_owner_is_known_by_its_birth_too(own_state: Path) -> None:
    with bystander() as stranger:
        write_ledger(own_state, DEAD, Owner(stranger.pid, "an earlier birth"))
        assert recover(own_state).runs == (DEAD,)
        assert survives(stranger)


def test_what_was_kept_stays_unless_everything_is_asked_for(own_state: Path, tmp_path: Path) -> None:
    with dead_harness(tmp_path, "ledger.add(Kept())"):
        assert recover(own_state) == Recovered()
        assert len(living_of_run(DEAD)) == 4
        assert len(recover(own_state, everything=True).processes) == 4
    assert not (tmp_path / "work").exists()


def test_what_was_kept_and_has_died_is_litter(own_state: Path) -> None:
    write_ledger(own_state, DEAD, DEAD_OWNER, Intent("n1"), Spawned("n1", 4_000_001, "then"), Kept())
    assert recover(own_state).runs == (DEAD,)


def test_damaged_lines_do_not_stop_it(own_state: Path, tmp_path: Path) -> None:
    with dead_harness(tmp_path):
        path = ledgers(own_state)[0]
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(lines[0][:20] + b"\n\x00\xff\n" + b"".join(lines[1:-1]) + lines[-1][:15])
        done = recover(own_state)
    assert done.damaged_lines == 3
    assert len(done.processes) == 4
    assert ledgers(own_state) == []


def test_an_empty_ledger_is_cleared(own_state: Path) -> None:
    write_ledger(own_state, DEAD)
    assert recover(own_state).runs == (DEAD,)


def test_a_ledger_that_never_began_is_cleared(own_state: Path) -> None:
    draft = write_ledger(own_state, DEAD, DEAD_OWNER)
    draft.rename(draft.with_name(f".{DEAD}.4000000"))
    mine = write_ledger(own_state, MINE, Owner(os.getpid(), birth_of(os.getpid()) or ""))
    mine = mine.rename(mine.with_name(f".{MINE}.{os.getpid()}"))
    assert recover(own_state) == Recovered()
    assert list((own_state / "ledger").iterdir()) == [mine]


def test_only_folders_that_carry_the_runs_mark_are_removed(own_state: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "letter").write_text("dear …")
    link = tmp_path / "link"
    link.symlink_to(precious)
    another = tmp_path / "another"
    another.mkdir()
    (another / ".twinshop").write_text("another run")
    write_ledger(own_state, DEAD, DEAD_OWNER, *(Folder(str(path)) for path in (precious, link, another)))
    assert recover(own_state).folders == ()
    assert (precious / "letter").exists()
    assert (another / ".twinshop").exists()


def test_a_folder_that_was_made_but_not_yet_marked_goes_while_it_is_empty(own_state: Path, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    write_ledger(own_state, DEAD, DEAD_OWNER, Folder(str(tmp_path / "work")))
    assert recover(own_state).folders == (str(tmp_path / "work"),)


def test_two_at_once(own_state: Path, tmp_path: Path) -> None:
    with dead_harness(tmp_path), ThreadPoolExecutor() as pool:
        both = [future.result(30) for future in [pool.submit(recover, own_state) for _ in range(2)]]
    assert all(done.left == () for done in both)
    assert living_of_run(DEAD) == set()
    assert ledgers(own_state) == []
    assert not (tmp_path / "work").exists()


def test_nothing_to_do_is_no_error(tmp_path: Path) -> None:
    assert recover(tmp_path / "never used") == Recovered()


UP = [sys.executable, "-m", "loadtests.cli", "up", "--json", "--architecture"]
UP_TAKES_S = 1.5


def kill_while_starting(own_state: Path, moment_s: float, architecture: str) -> None:
    """Start a cluster as a user does, kill the starter, recover, and look."""
    starter = subprocess.Popen([*UP, architecture], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    time.sleep(moment_s)
    starter.kill()
    _, said = starter.communicate()
    where = f"{architecture}, killed after {moment_s:.3f} s: {said.decode()}"
    done = recover(own_state, everything=True)
    assert done.left == (), where
    assert processes_of(own_state) == {}, where
    assert ports_of(own_state) == set(), where
    assert ledgers(own_state) == [], where
    assert list((own_state / "ledger").glob("*")) == [], where
    assert list((own_state / "clusters").glob("*")) == [], where


@pytest.mark.cluster
@pytest.mark.parametrize("moment_s", [0.2, 0.35, 0.5, 0.7, 0.9])
def test_sigkill_while_starting(own_state: Path, moment_s: float) -> None:
    kill_while_starting(own_state, moment_s, "redis-replica")


@pytest.mark.cluster
@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_storm_of_sigkills_while_starting(own_state: Path) -> None:
    dice = random.Random(20261121)
    for _ in range(50):
        architecture = dice.choice(sorted(ARCHITECTURES))
        kill_while_starting(own_state, dice.uniform(0.0, UP_TAKES_S), architecture)


def test_a_birth_tells_processes_apart() -> None:
    me = os.getpid()
    assert birth_of(me) == birth_of(me)
    assert birth_of(4_000_001) is None
    assert is_alive(me, birth_of(me) or "")
    assert not is_alive(me, "another birth")
