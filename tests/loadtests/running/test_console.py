from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from loadtests.running.console import GuardedOutput, is_gone
from tests.loadtests.command import environment

CLI = [sys.executable, "-m", "loadtests.cli"]


def unread(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """`twinshop …` into a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as out:
        return subprocess.run(
            [*CLI, *arguments],
            cwd=tmp_path, env=environment(tmp_path), stdout=out, stderr=subprocess.PIPE, timeout=30, check=False,
        )  # fmt: skip


@pytest.mark.parametrize("words", ["list", "list --json", "plan node-kill", "plan node-kill --json", "status"])
def test_a_reader_who_leaves_changes_no_exit_code(tmp_path: Path, words: str) -> None:
    done = unread(tmp_path, *words.split())
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_command_that_was_cut_short_does_not_look_like_a_verdict(tmp_path: Path) -> None:
    done = unread(tmp_path, "doctor")
    assert done.returncode == 130
    assert b"nobody reads" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_no_reader_who_left(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as out:
        done = subprocess.run(
            [*CLI, "list"], cwd=tmp_path, env=environment(tmp_path), stdout=out, stderr=subprocess.PIPE,
            timeout=30, check=False,
        )  # fmt: skip
    assert done.returncode == 4
    assert b"No space left" in done.stderr


def test_what_counts_as_gone() -> None:
    assert is_gone(BrokenPipeError(errno.EPIPE, ""))
    assert is_gone(OSError(errno.EIO, "a terminal that was closed"))
    assert not is_gone(OSError(errno.ENOSPC, ""))


def test_an_outlet_takes_every_word_and_passes_it_on_while_it_can() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as out:
        outlet = GuardedOutput(out)
        outlet.write("heard")
        outlet.flush()
        assert os.read(reading, 99) == b"heard"
        os.close(reading)
        assert outlet.write("unheard") == 7
        outlet.flush()
        outlet.write("for ever")
        outlet.flush()
