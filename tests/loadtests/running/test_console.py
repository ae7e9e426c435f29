from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from loadtests.running.console import GuardedOutput, interrupts_raise, is_gone, pasteable
from shared.errors import Interrupted
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


class TestPasteable:
    """Whatever the shell knows of `.venv`: the program is named as it was called."""

    TEXT = "next: twinshop report runs/latest (`twinshop runs` lists them)"

    @pytest.fixture
    def program(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        program = tmp_path / "my venv" / "bin" / "twinshop"
        program.parent.mkdir(parents=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        monkeypatch.setattr(sys, "argv", [str(program)])
        monkeypatch.setenv("PATH", str(tmp_path))
        return program

    def test_called_by_its_path_it_is_named_by_it(self, program: Path) -> None:
        by_path = f"'{program}'"
        assert pasteable(self.TEXT) == (f"next: {by_path} report runs/latest (`{by_path} runs` lists them)")
        assert pasteable(f"{by_path} runs") == f"{by_path} runs"

    def test_what_is_installed_goes_where_the_program_is(self, program: Path) -> None:
        text = "next: pip install 'twinshop[parquet]', or /usr/bin/python3 -m pip install scipy"
        assert pasteable(text) == text
        python = program.with_name("python")
        python.touch()
        assert pasteable(text) == text.replace("next: pip", f"next: '{python}' -m pip")

    def test_found_on_path_its_name_is_enough(self, program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(program.parent))
        assert pasteable(self.TEXT) == self.TEXT

    def test_another_one_on_path_is_not_meant(
        self, program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = tmp_path / "other" / "twinshop"
        other.parent.mkdir()
        other.write_text("#!/bin/sh\n")
        other.chmod(0o755)
        monkeypatch.setenv("PATH", str(other.parent))
        assert str(program) in pasteable(self.TEXT)

    def test_called_as_a_module_it_has_its_name(self, program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "argv", ["loadtests/cli.py"])
        assert pasteable(self.TEXT) == self.TEXT


def test_what_a_command_advises_can_be_pasted(tmp_path: Path) -> None:
    """As `.venv/bin/twinshop`, in a shell that has no such folder on its path."""
    program = tmp_path / ".venv" / "bin" / "twinshop"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!{sys.executable}\nimport sys\nfrom loadtests.cli import main\nsys.exit(main())\n")
    program.chmod(0o755)
    surroundings = environment(tmp_path / "state") | {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(Path(__file__).parents[3]),
    }

    def typed(line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            line, shell=True, cwd=tmp_path, env=surroundings, capture_output=True, text=True, timeout=30, check=False
        )

    told = typed(".venv/bin/twinshop run no-such-scenario").stderr
    (advised,) = [line.partition("next: ")[2] for line in told.splitlines() if "next: " in line]
    assert advised.startswith(".venv/bin/twinshop ")
    assert typed(advised).returncode == 0
    assert "next: .venv/bin/twinshop run -h\n" in typed(".venv/bin/twinshop run").stderr
    assert "`.venv/bin/twinshop up " in typed(".venv/bin/twinshop status").stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_raises_and_the_later_ones_wait(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    cleaned = False

    def interrupted_work() -> None:
        nonlocal cleaned
        with interrupts_raise():
            try:
                os.kill(os.getpid(), number)
            finally:
                os.kill(os.getpid(), number)
                os.kill(os.getpid(), signal.SIGINT)
                cleaned = True

    with pytest.raises(Interrupted, match=number.name):
        interrupted_work()
    assert cleaned
    assert signal.getsignal(number) is before
