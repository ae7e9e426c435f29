"""A campaign on real Dask workers, which are killed, and whose scheduler is: no cell lost, none twice, nothing left.

Each worker has a state folder of its own and stands for a machine; all of them are on this one, and three clusters
share its processors. Each test takes a few minutes.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import psutil
import pytest
from dask.config import set as dask_config
from distributed import LocalCluster

from loadtests.campaigns.cells import Matrix, Selection, read_matrix
from loadtests.campaigns.far.machines import FarLauncher, Machines
from loadtests.campaigns.far.worker import MACHINE, Order, Returned
from loadtests.campaigns.jobs import TIMES, catalogue
from loadtests.campaigns.repeats.repeats import Repeats, read_repeats
from loadtests.campaigns.runner import Campaign, Outcome, RunJob, Runner
from loadtests.judging.judge import judge
from loadtests.model.events import RunInterrupted, read_events
from loadtests.model.results import Results
from loadtests.model.run_folder import RunFolder, read_document
from tests.left_behind import processes_of
from tests.waiting import until

pytestmark = [pytest.mark.long, pytest.mark.cluster]
EXACT = ("--family", "payments")
"""A family that counts the same each time on one machine, too; many a scenario counts what hangs on some milliseconds.
Twelve cells, two minutes and a half of runs."""
MANY = Selection(families=("tokens",), architectures=("redis", "refresh-token"))
"""Short runs: about two dozen cells of half as many scenarios."""
PART = (
    "--scenario", "refresh-race", "--scenario", "refresh-race-grace", "--scenario", "refresh-race-single-flight",
    "--scenario", "refresh-store-kill", "--scenario", "refresh-tabs-apart", "--scenario", "refresh-tabs-apart-grace",
    "--architecture", "redis", "--architecture", "refresh-token",
)  # fmt: skip
"""Of it: 8 cells, a minute and a half of runs."""
BLOCKS = ("node-kill-stays-down", "--shoppers", "12", "--architecture", "sticky-memory", "--architecture", "redis")
NAMES = ("m1", "m2", "m3")
KILLS = 20
IN_THE_MIDDLE = 12
"""Of the kills, at least, must have been of a worker that was carrying out a run."""
ENDED_WITHIN_S = 1200.0
WORKER_ENDS_WITHIN_S = 90.0
"""When its scheduler is gone: Dask waits half a minute for what it is at."""


class Dask:
    """A scheduler and workers, as Dask's users start them, and campaigns on them."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.file = place / "scheduler.json"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.port = "0"
        self._campaigns: list[subprocess.Popen[str]] = []

    def scheduler(self) -> None:
        self.file.unlink(missing_ok=True)
        self._start(
            "scheduler", "scheduler", "--host", "127.0.0.1", "--port", self.port, "--no-dashboard",
            "--scheduler-file", str(self.file),
        )  # fmt: skip
        assert until(self._is_written, 60)
        self.address = msgspec.json.decode(self.file.read_bytes())["address"]
        self.port = self.address.rpartition(":")[2]

    def _is_written(self) -> bool:
        """To its end: Dask does not write it in one piece."""
        with suppress(OSError, msgspec.DecodeError):
            return bool(msgspec.json.decode(self.file.read_bytes()))
        return False

    def worker(self, name: str) -> None:
        """With a nanny's help it would start again by itself; here whoever kills it starts it again."""
        self._start(
            name, "worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1",
            "--name", name, "--resources", f"{MACHINE}=1", "--local-directory", str(self.place / f"{name}-scratch"),
            state=self.state(name),
        )  # fmt: skip

    def state(self, name: str) -> Path:
        return self.place / f"{name}-state"

    def runs_something(self, name: str) -> bool:
        with suppress(psutil.NoSuchProcess):
            return bool(psutil.Process(self.processes[name].pid).children())
        return False

    def _start(self, name: str, *words: str, state: Path | None = None) -> None:
        with (self.place / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "dask", *words], stdout=log, stderr=log, start_new_session=True,
                env=self._with_state(state or self.place / "none"),
            )  # fmt: skip

    def _with_state(self, state: Path) -> dict[str, str]:
        scratch = {"DASK_TEMPORARY_DIRECTORY": str(self.place / "scratch")}
        return {**os.environ, "TWINSHOP_STATE": str(state), **scratch}

    def twinshop(self, *words: str, state: Path | None = None) -> subprocess.Popen[str]:
        """Start a command beside the scheduler; what it says is read when it is waited for."""
        process = subprocess.Popen(
            [sys.executable, "-m", "loadtests.cli", *words], cwd=self.place, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=self._with_state(state or Path(os.environ["TWINSHOP_STATE"])),
        )  # fmt: skip
        self._campaigns.append(process)
        return process

    def kill(self, name: str) -> None:
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes.pop(name).wait()

    def close(self) -> None:
        for campaign in self._campaigns:
            if campaign.poll() is None:
                campaign.send_signal(signal.SIGINT)
                with suppress(subprocess.TimeoutExpired):
                    campaign.wait(60)
                campaign.kill()
            campaign.communicate()
        for name in [*NAMES, "scheduler"]:  # one whose scheduler is gone takes a minute to end
            if process := self.processes.pop(name, None):
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(15)
                process.kill()
                process.wait()


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Dask]:
    found = Dask(tmp_path)
    try:
        found.scheduler()
        for name in NAMES:
            found.worker(name)
        yield found
    finally:
        found.close()


def ended(process: subprocess.Popen[str], codes: tuple[int, ...] = (0, 1, 3)) -> str:
    """What it said on the way, when it has ended with one of these codes: as predicted, not so, inconclusive."""
    _said, told = process.communicate(timeout=ENDED_WITHIN_S)
    assert process.returncode in codes, told
    return told


def counts(matrix: Matrix) -> dict[tuple[str, str], tuple[object, ...]]:
    """Of each cell its word, the logged out, and what its scenario counts, unless that is a time."""
    headlines = {entry.scenario.name: entry.scenario.headline for entry in catalogue()}
    return {
        cell.place: (
            cell.word,
            *(cell.measures.get(name) for name in ("logged_out", headlines[cell.scenario]) if name not in TIMES),
        )
        for cell in matrix.cells
    }


def shots(repeats: Repeats) -> dict[tuple[int, str], tuple[str, dict[str, float | None]]]:
    """Of each block and its controls the plan, and how many were logged out of each architecture."""
    return {
        (block.number, block.kind): (
            block.plan_sha256,
            {shot.architecture: shot.values["logged_out"] for shot in block.shots},
        )
        for block in repeats.blocks
    }


def whole_and_once(folder: Path, told: str, jobs: int) -> Matrix:
    """Every cell was run, to its end, and counted once; there is no run that nobody counted."""
    matrix = read_matrix(folder)
    assert all(cell.was_run for cell in matrix.cells), told
    finished = re.findall(r"^\[\d+/\d+\] (\S+) \(", told, re.MULTILINE)
    assert len(finished) == len(set(finished)) == jobs, told
    runs: dict[str, set[str]] = {}
    for cell in matrix.cells:
        runs.setdefault(cell.run, set()).add(cell.architecture)
    assert runs.keys() == {path.name for path in folder.iterdir() if path.is_dir() and path.name != "logs"}
    for name, architectures in runs.items():
        run = RunFolder(folder / name)
        assert judge(run.root) == read_document(run.results, Results)
        assert read_document(run.results, Results).architectures.keys() == architectures
        assert not [event for event in read_events(run.events) if isinstance(event, RunInterrupted)]
    return matrix


def nothing_is_left(dask: Dask) -> None:
    """No process of a run; and after recovery no ledger, and no folder, whatever was killed in the middle."""
    for name in NAMES:
        state = dask.state(name)
        own = {dask.processes[name].pid}
        assert until(lambda state=state, own=own: not (processes_of(state).keys() - own), 60), processes_of(state)  # type: ignore[misc]
        ended(dask.twinshop("recover", state=state), (0,))
        assert not list((state / "ledger").glob("*"))
        assert not list((state / "far").glob("*"))


@pytest.mark.timeout(1800)
def test_a_family_comes_out_with_the_same_counts_as_on_one_machine(dask: Dask, tmp_path: Path) -> None:
    told = ended(dask.twinshop("matrix", *EXACT, "--on", dask.address, "--out", "far"))
    matrix = whole_and_once(tmp_path / "far", told, 2)
    assert len({cell.machine for cell in matrix.cells} - {""}) == 2
    nothing_is_left(dask)
    ended(dask.twinshop("matrix", *EXACT, "--side-by-side", "1", "--out", "near", "-q"))
    near = read_matrix(tmp_path / "near")
    assert {cell.machine for cell in near.cells} == {""}
    assert len(near.cells) == 12
    assert counts(matrix) == counts(near)


@pytest.mark.timeout(1800)
def test_six_blocks_of_repeats_come_out_the_same_each_on_one_machine(dask: Dask, tmp_path: Path) -> None:
    for place, where in (("far", ("--on", dask.address)), ("near", ())):
        ended(dask.twinshop("run", *BLOCKS, "--repeat", "6", *where, "--runs", place, "-q"))
    far, near = (read_repeats(next((tmp_path / place).glob("*-x6"))) for place in ("far", "near"))
    assert [block.number for block in far.of_kind("fault")] == [1, 2, 3, 4, 5, 6]
    assert shots(far) == shots(near)
    assert far.machines == NAMES
    for number in range(1, 7):
        assert len({block.machine for block in far.blocks if block.number == number}) == 1
    nothing_is_left(dask)


@pytest.mark.timeout(1800)
def test_twenty_kills_of_workers_lose_no_cell_and_count_none_twice(dask: Dask, tmp_path: Path) -> None:
    far = dask.twinshop("matrix", *MANY.options().split(), "--on", dask.address, "--out", "far")
    dice = random.Random(17)
    in_the_middle = 0
    for _ in range(KILLS):
        time.sleep(dice.uniform(1.0, 6.0))
        until(lambda: any(map(dask.runs_something, NAMES)), 20)
        busy = [name for name in NAMES if dask.runs_something(name)]
        victim = dice.choice(busy or NAMES)
        in_the_middle += bool(busy)
        assert far.poll() is None, "it was over before all the kills"
        dask.kill(victim)
        dask.worker(victim)
    assert in_the_middle >= IN_THE_MIDDLE
    asked = {
        (it.scenario.name, name)
        for it in catalogue()
        for name in it.scenario.architectures
        if MANY.holds(it.scenario, name)
    }
    matrix = whole_and_once(tmp_path / "far", ended(far), len({scenario for scenario, _ in asked}))
    assert {cell.place for cell in matrix.cells} == asked
    nothing_is_left(dask)


@pytest.mark.timeout(1800)
def test_the_scheduler_is_killed_and_the_campaign_goes_on(dask: Dask, tmp_path: Path) -> None:
    far = dask.twinshop("matrix", *PART, "--on", dask.address, "--out", "far")
    assert until(lambda: (tmp_path / "far" / "matrix.json").is_file(), 120)
    assert until(lambda: len(read_matrix(tmp_path / "far").cells) >= 2, 600)
    dask.kill("scheduler")
    before = counts(read_matrix(tmp_path / "far"))
    assert len(before) < 8
    dask.scheduler()
    for name in NAMES:  # whose scheduler is gone ends by itself, with the run it was at
        dask.processes[name].wait(WORKER_ENDS_WITHIN_S)
        dask.worker(name)
    told = ended(far)
    assert "is gone: waiting for it" in told
    after = counts(whole_and_once(tmp_path / "far", told, 6))
    assert len(after) == 8
    assert before.items() <= after.items()
    nothing_is_left(dask)


class Lives(threading.Thread):
    """How long each child process of one process has lived: its runs."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.lived_s: dict[int, tuple[float, float]] = {}
        self._pid = pid
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.05):
            with suppress(psutil.NoSuchProcess):
                for child in psutil.Process(self._pid).children():
                    began, _ = self.lived_s.get(child.pid, (child.create_time(), 0.0))
                    self.lived_s[child.pid] = (began, time.time())

    def end(self) -> float:
        """All of them together, in s."""
        self._over.set()
        self.join()
        return sum(last - began for began, last in self.lived_s.values())


@contextmanager
def lives_of(pid: int) -> Iterator[Callable[[], float]]:
    lives = Lives(pid)
    lives.start()
    try:
        yield lives.end
    finally:
        lives.end()


@pytest.mark.timeout(1800)
def test_a_campaign_on_one_worker_takes_little_more_than_its_runs(tmp_path: Path) -> None:
    """From the command's first moment to its last: its start, Dask's, and whatever comes between the runs included."""
    dask = Dask(tmp_path)
    try:
        dask.scheduler()
        dask.worker("m1")
        assert until(lambda: b"Registered to" in (tmp_path / "m1.log").read_bytes(), 60)
        with lives_of(dask.processes["m1"].pid) as runs_s:
            began = time.monotonic()
            told = ended(dask.twinshop("matrix", *PART, "--on", dask.address, "--out", "far"))
            far_s, far_runs_s = time.monotonic() - began, runs_s()
        whole_and_once(tmp_path / "far", told, 6)
    finally:
        dask.close()
    figures = {"campaign": far_s, "its runs": far_runs_s}
    (tmp_path / "figures.json").write_bytes(msgspec.json.encode(figures))
    assert far_s <= 1.05 * far_runs_s, figures


class Counted(Campaign):
    def __init__(self) -> None:
        self.done = 0

    def keep(self, job: RunJob, outcome: Outcome) -> None:
        self.done += 1


def sleeps(asked: bytes) -> bytes:
    time.sleep(msgspec.msgpack.decode(asked, type=Order).job.seconds)
    return msgspec.msgpack.encode(Returned(Outcome("run")))


@pytest.mark.parametrize("machines", [1, 2, 8, 32])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_machines_share_the_work(machines: int, tmp_path: Path, record_property: object) -> None:
    """Runs replaced by sleeps of their length: so many machines are nearly so many times as fast as one."""
    each_s, rounds = 3.0, 4
    scratch = str(tmp_path / "dask")
    with dask_config({"temporary-directory": scratch}), LocalCluster(
        n_workers=machines, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0",
        host="127.0.0.1", protocol="tcp://", resources={MACHINE: 1}, local_directory=scratch, silence_logs=50,
    ) as cluster:  # fmt: skip
        there = Machines(cluster.scheduler_address, lambda _line: None)
        assert until(lambda: there.count() == machines, 30)
        campaign = Counted()
        jobs = [RunJob("node-kill", ("redis",), seed, each_s) for seed in range(machines * rounds)]
        began = time.monotonic()
        Runner(campaign, FarLauncher(there, tmp_path, "processes", work=sleeps), lambda _: None).carry_out(jobs)
        took_s = time.monotonic() - began
        there.close()
    assert campaign.done == len(jobs)
    assert threading.active_count() < 50
    assert each_s * len(jobs) / took_s >= (0.95 if machines == 1 else 0.9 * machines)
