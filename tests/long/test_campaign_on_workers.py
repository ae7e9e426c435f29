"""A campaign on real Dask workers, which are killed, and whose scheduler is: no cell lost, none twice, nothing left.

Each worker has a state folder of its own and stands for a machine; all of them are on this one.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from dask.config import set as dask_config
from distributed import LocalCluster

from loadtests.campaigns.cells import Matrix, read_matrix
from loadtests.campaigns.far.machines import FarLauncher, Machines
from loadtests.campaigns.far.worker import MACHINE, Order, Returned
from loadtests.campaigns.repeats.repeats import read_repeats
from loadtests.campaigns.runner import Campaign, Outcome, RunJob, Runner
from tests.left_behind import processes_of
from tests.waiting import until

pytestmark = [pytest.mark.long, pytest.mark.cluster]
FAMILY = ("--scenario", "calm", "--scenario", "two-tabs", "--scenario", "node-kill", "--scenario", "store-kill")
FEW = ("--architecture", "sticky-memory", "--architecture", "signed-token", "--architecture", "redis")


class Dask:
    """A scheduler and workers, as Dask's users start them."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.file = place / "scheduler.json"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.port = "0"

    def scheduler(self) -> None:
        self.file.unlink(missing_ok=True)
        self._start(
            "scheduler", "scheduler", "--host", "127.0.0.1", "--port", self.port, "--no-dashboard",
            "--scheduler-file", str(self.file),
        )  # fmt: skip
        assert until(self.file.is_file, 30)
        self.address = msgspec.json.decode(self.file.read_bytes())["address"]
        self.port = self.address.rpartition(":")[2]

    def worker(self, name: str) -> None:
        """With a nanny's help it would start again by itself; here whoever kills it starts it again."""
        self._start(
            name, "worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1",
            "--name", name, "--resources", f"{MACHINE}=1", "--local-directory", str(self.place / f"{name}-scratch"),
            state=self.state(name),
        )  # fmt: skip

    def state(self, name: str) -> Path:
        return self.place / f"{name}-state"

    def _start(self, name: str, *words: str, state: Path | None = None) -> None:
        with (self.place / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "dask", *words], stdout=log, stderr=log, start_new_session=True,
                env={
                    **os.environ, "TWINSHOP_STATE": str(state or self.place / "none"),
                    "DASK_TEMPORARY_DIRECTORY": str(self.place / "scratch"),
                },
            )  # fmt: skip

    def kill(self, name: str) -> None:
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes.pop(name).wait()

    def close(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()
            process.wait()


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Dask]:
    found = Dask(tmp_path)
    found.scheduler()
    for name in ("m1", "m2", "m3"):
        found.worker(name)
    yield found
    found.close()


def twinshop(*words: str, place: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "loadtests.cli", *words], cwd=place, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env={**os.environ, "DASK_TEMPORARY_DIRECTORY": str(place / "scratch")},
    )  # fmt: skip


def counts(matrix: Matrix) -> dict[tuple[str, str], tuple[str, float]]:
    return {cell.place: (cell.word, cell.measures["logged_out"]) for cell in matrix.cells}


def nothing_is_left(dask: Dask) -> None:
    for name in ("m1", "m2", "m3"):
        state = dask.state(name)
        own = {dask.processes[name].pid} if name in dask.processes else set()
        assert until(lambda state=state, own=own: not (processes_of(state).keys() - own), 30)  # type: ignore[misc]
        assert not list((state / "ledger").glob("*")) or not processes_of(state).keys() - own
        assert not list((state / "far").glob("*"))


def test_a_family_comes_out_with_the_same_counts_as_on_one_machine(dask: Dask, tmp_path: Path) -> None:
    far = twinshop("matrix", *FAMILY, *FEW, "--on", dask.address, "--out", "far", "-q", place=tmp_path)
    said, problems = far.communicate(timeout=900)
    assert far.returncode in (0, 1, 3), problems
    near = twinshop("matrix", *FAMILY, *FEW, "--side-by-side", "1", "--out", "near", "-q", place=tmp_path)
    near.communicate(timeout=900)
    one, other = counts(read_matrix(tmp_path / "far")), counts(read_matrix(tmp_path / "near"))
    assert one == other, said
    machines = {cell.machine for cell in read_matrix(tmp_path / "far").cells}
    assert machines <= {"m1", "m2", "m3"}
    assert len(machines) > 1
    nothing_is_left(dask)


def test_repeats_keep_a_block_on_one_machine(dask: Dask, tmp_path: Path) -> None:
    run = twinshop(
        "run", "node-kill", "--repeat", "6", "--shoppers", "12", "--architecture", "sticky-memory", "--architecture",
        "redis", "--on", dask.address, "--runs", "runs", "-q", place=tmp_path,
    )  # fmt: skip
    _said, problems = run.communicate(timeout=1500)
    assert run.returncode in (0, 1, 3), problems
    (folder,) = (tmp_path / "runs").glob("*-x6")
    repeats = read_repeats(folder)
    faults = repeats.of_kind("fault")
    assert [block.number for block in faults] == [1, 2, 3, 4, 5, 6]
    for number in range(1, 7):
        assert len({block.machine for block in repeats.blocks if block.number == number}) == 1
    for block in faults:
        assert {shot.architecture: shot.values["logged_out"] for shot in block.shots}["redis"] == 0
        assert {shot.architecture: shot.values["logged_out"] for shot in block.shots}["sticky-memory"] == 4
    nothing_is_left(dask)


def test_twenty_kills_of_workers_lose_no_cell_and_count_none_twice(dask: Dask, tmp_path: Path) -> None:
    far = twinshop("matrix", *FAMILY, *FEW, "--on", dask.address, "--out", "far", place=tmp_path)
    dice = random.Random(17)
    for _ in range(20):
        time.sleep(dice.uniform(1.0, 6.0))
        victim = dice.choice(["m1", "m2", "m3"])
        dask.kill(victim)
        dask.worker(victim)
        if far.poll() is not None:
            break
    _said, problems = far.communicate(timeout=1800)
    assert far.returncode in (0, 1, 3), problems
    matrix = read_matrix(tmp_path / "far")
    assert len(matrix.cells) == 12
    assert all(cell.was_run for cell in matrix.cells), problems
    runs = {path.name for path in (tmp_path / "far").iterdir() if path.is_dir() and path.name != "logs"}
    assert runs == {cell.run for cell in matrix.cells}
    nothing_is_left(dask)


def test_the_scheduler_is_killed_and_the_campaign_goes_on(dask: Dask, tmp_path: Path) -> None:
    far = twinshop("matrix", *FAMILY, *FEW, "--on", dask.address, "--out", "far", place=tmp_path)
    assert until(lambda: (tmp_path / "far" / "matrix.json").is_file(), 300)
    assert until(lambda: len(read_matrix(tmp_path / "far").cells) >= 3, 900)
    dask.kill("scheduler")
    dask.scheduler()
    for name in ("m1", "m2", "m3"):  # a worker whose scheduler is gone ends by itself
        dask.kill(name)
        dask.worker(name)
    _said, problems = far.communicate(timeout=1800)
    assert far.returncode in (0, 1, 3), problems
    assert len([cell for cell in read_matrix(tmp_path / "far").cells if cell.was_run]) == 12, problems
    nothing_is_left(dask)


class Counted(Campaign[RunJob]):
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
        Runner(
            campaign, FarLauncher(there, tmp_path, "processes", work=sleeps), lambda _: None, lambda: None
        ).carry_out(jobs)
        took_s = time.monotonic() - began
        there.close()
    assert campaign.done == len(jobs)
    assert threading.active_count() < 50
    assert each_s * len(jobs) / took_s >= (0.95 if machines == 1 else 0.9 * machines)
