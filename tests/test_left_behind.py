"""The watch over what tests leave: a child, and an orphan that carries the state folder, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.left_behind import left_over, outlives_a_test
from tests.waiting import until

ORPHAN = (
    "import subprocess, sys; print(subprocess.Popen(['sleep', '60'], start_new_session=True, stdout=-3, stderr=-3).pid)"
)


@pytest.fixture
def before() -> set[int]:
    return set(psutil.pids())


@pytest.fixture
def child(before: set[int]) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"], env={}) as process:
        yield process
        process.kill()


def orphan(state: Path) -> psutil.Process:
    made = subprocess.run(
        [sys.executable, "-c", ORPHAN],
        env={**os.environ, "TWINSHOP_STATE": str(state)},
        capture_output=True,
        check=True,
    )
    return psutil.Process(int(made.stdout))


def test_a_child_is_seen_whatever_it_carries(own_state: Path, before: set[int], child: subprocess.Popen[bytes]) -> None:
    assert left_over(own_state, before) == {child.pid: "sleep 60"}
    assert left_over(own_state, {*before, child.pid}) == {}
    child.kill()
    assert until(lambda: not left_over(own_state, before)), "dead, though nobody has asked how it ended"


def test_an_orphan_is_seen_by_its_state_folder(own_state: Path, before: set[int], tmp_path: Path) -> None:
    ours, another = orphan(own_state), orphan(tmp_path / "another")
    try:
        assert left_over(own_state, before) == {ours.pid: "sleep 60"}
    finally:
        for process in (ours, another):
            process.kill()
            process.wait()


def test_what_outlives_a_test_answers_for_itself_at_its_end(own_state: Path, tmp_path: Path, before: set[int]) -> None:
    state = tmp_path / "longer"
    with outlives_a_test(state) as started:
        process = subprocess.Popen(["sleep", "60"])
        assert set(left_over(own_state, before)) == {process.pid}
        started()
        assert left_over(own_state, before) == {}
        assert os.environ["TWINSHOP_STATE"] == str(own_state)
        process.kill()
        process.wait()

    def lose_one() -> None:
        with outlives_a_test(state, 0) as started:
            started()
            lost.append(orphan(state))

    lost: list[psutil.Process] = []
    with pytest.raises(AssertionError, match="left behind"):
        lose_one()
    lost[0].kill()
