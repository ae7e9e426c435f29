"""The harness is killed at random moments while it runs containers, and so is the Docker engine. `make test-long`."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from compose.engines.images import OFFICIAL, ensure, node_image
from tests.containers import Foreigners, engine, things_with
from tests.left_behind import processes_of, wait_until_gone
from tests.loadtests.command import SMALL_KILL, environment, start, twinshop

__all__ = ["engine"]
pytestmark = [pytest.mark.long, pytest.mark.docker, pytest.mark.cluster]

KILLS = int(os.environ.get("TWINSHOP_DOCKER_KILLS", "20"))
MOMENTS_S = 26.0
"""A small run of two architectures in containers takes about this long."""
ENGINE_KILLS = int(os.environ.get("TWINSHOP_ENGINE_KILLS", "3"))
ARGUMENTS = ("run", "small.toml", "--engine", "docker", "--architecture", "sticky-memory", "--architecture", "redis")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "small.toml").write_text(SMALL_KILL)
    return tmp_path


@pytest.mark.timeout(3600)
def test_sigkill_at_random_moments_then_recover(
    home: Path, engine: docker.APIClient, capsys: pytest.CaptureFixture[str]
) -> None:
    ensure(engine, (node_image(), *OFFICIAL), lambda _line: None)
    dice = random.Random(20261121)
    before = things_with(engine)
    held = 0
    with Foreigners(engine, "storm") as foreigners:
        for number in range(KILLS):
            # A third of them while containers are being made: that is where something could slip away.
            moment_s = dice.uniform(0.5, 3.5) if number % 3 == 0 else dice.uniform(0.5, MOMENTS_S)
            process = start(home, *ARGUMENTS)
            try:
                time.sleep(moment_s)
            finally:
                process.kill()
                process.communicate()
            there = len(things_with(engine) - before)
            held += there
            recovered = twinshop(home, "recover")
            where = f"kill {number} at {moment_s:.2f} s, {there} things were there: {recovered.stdout}"
            assert recovered.returncode == 0, recovered.stderr
            assert things_with(engine) - before == set(), where
            assert processes_of(home / "state") == {}, where
            assert list((home / "state" / "ledger").glob("*")) == [], where
            assert foreigners.are_well(), where
    time.sleep(3)  # nothing comes late either
    assert things_with(engine) - before == set()
    with capsys.disabled():
        print(f"\n{KILLS} kills: {held} containers and networks were there, 0 left; the foreign ones survived")  # noqa: T201


class PrivateEngine:
    """A Docker engine of our own, in a network of its own, so that it can be killed without harm to anybody."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.address = f"unix://{folder}/docker.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        folder = self._folder
        for stale in ("pid", "exec/containerd/containerd.pid"):  # a killed engine's, perhaps somebody else's by now
            (folder / stale).unlink(missing_ok=True)
        daemon = (
            f"ip link set lo up; exec dockerd --data-root {folder}/data --exec-root {folder}/exec "
            f"--pidfile {folder}/pid -H {self.address}"
        )
        with (folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["unshare", "--net", "sh", "-c", daemon],
                # It is no part of a run: its helpers must not be taken for what the harness left.
                env={name: value for name, value in os.environ.items() if not name.startswith("TWINSHOP_")},
                stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        deadline = time.monotonic() + 60
        while self._asked("info").returncode != 0:
            assert time.monotonic() < deadline, (folder / "log").read_text()[-2000:]
            time.sleep(0.2)

    def _asked(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = ["docker", "-H", self.address, *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    def fill(self, names: tuple[str, ...]) -> None:
        save = subprocess.Popen(["docker", "save", *names], stdout=subprocess.PIPE)
        loaded = subprocess.run(
            ["docker", "-H", self.address, "load"], stdin=save.stdout, check=False, capture_output=True
        )
        assert save.stdout is not None
        save.stdout.close()
        assert (save.wait(), loaded.returncode) == (0, 0), loaded.stderr

    def twinshop(self, home: Path, *arguments: str) -> subprocess.Popen[str]:
        assert self._process is not None
        inside = ["nsenter", "--target", str(self._process.pid), "--net"]
        command = [*inside, sys.executable, "-m", "loadtests.cli", *arguments]
        return subprocess.Popen(
            command, cwd=home, env={**environment(home / "state"), "DOCKER_HOST": self.address},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def containers(self) -> list[str]:
        return self._asked("ps", "-aq").stdout.split()

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        assert self._process is not None
        if self._process.poll() is not None:
            self.start()  # only an engine can clear away what a killed one has left
        self._process.terminate()
        self._process.wait(60)


@pytest.fixture
def private(tmp_path_factory: pytest.TempPathFactory, engine: docker.APIClient) -> Iterator[PrivateEngine]:
    if os.getuid() != 0 or not all(map(shutil.which, ("dockerd", "unshare", "nsenter", "ip"))):
        pytest.skip("an engine of one's own wants root, dockerd, unshare, nsenter and ip")
    ensure(engine, (node_image(), *OFFICIAL), lambda _line: None)
    folder = tmp_path_factory.mktemp("engine")
    private = PrivateEngine(folder)
    private.start()
    try:
        private.fill((node_image(), *OFFICIAL))
        yield private
    finally:
        private.stop()
        unmount_within(folder)
        shutil.rmtree(folder)


def unmount_within(folder: Path) -> None:
    """An engine that was killed leaves its data mounted, and nobody can delete that."""
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for path in sorted(mounted, reverse=True):
        if Path(path).is_relative_to(folder):
            subprocess.run(["umount", path], check=True)


@pytest.mark.timeout(900)
def test_the_engine_is_killed_in_the_middle_of_a_run(
    home: Path, private: PrivateEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    dice = random.Random(3)
    took = []
    for _number in range(ENGINE_KILLS):
        process = private.twinshop(home, *ARGUMENTS)
        moment_s = dice.uniform(5.5, 11.0)
        time.sleep(moment_s)
        assert process.poll() is None
        private.kill()
        began = time.monotonic()
        out, err = process.communicate(timeout=60)
        took.append(time.monotonic() - began)
        where = f"after {moment_s:.1f} s: {out}{err}"
        assert process.returncode == 4, where
        assert "the Docker engine" in err, where
        assert "twinshop recover" in err, where
        assert "Traceback" not in err, where
        assert wait_until_gone(home / "state", 2.0) == {}, where
        private.start()
        recovered = twinshop(home, "recover")
        assert recovered.returncode == 0, recovered.stderr
        assert private.containers() == []
    with capsys.disabled():
        print(f"\n{ENGINE_KILLS} killed engines: exit 4 each time, after {max(took):.1f} s at most; nothing left")  # noqa: T201
