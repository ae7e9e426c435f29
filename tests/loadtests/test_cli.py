from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

from loadtests import cli
from shared import errors


def call(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = cli.main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_is_found_and_helps(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call([name, "--help"], capsys)
    assert (code, err) == (0, "")
    assert "Usage: twinshop" in out


def test_the_help_begins_with_examples_and_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(["-h"], capsys)
    assert code == 0
    assert out.index("Examples:") < out.index("Options:")
    assert all(f"  {name}" in out for name in cli.COMMANDS)


def test_the_help_imports_nothing_heavy() -> None:
    """First words within 100 ms means: neither Flask, SQLAlchemy, Locust nor charts before the command is known."""
    script = (
        "import sys, loadtests.cli as c; c.main(['-h']); "
        "heavy = {'flask', 'sqlalchemy', 'locust', 'gevent', 'rich', 'redis'} & set(sys.modules); "
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr


def test_a_run_imports_nothing_that_it_does_not_need() -> None:
    """Each of these was once brought along by something else, and all that a run imports took twice as long."""
    script = (
        "import sys, compose.engines.registry, loadtests.running.run; "
        "heavy = {'asyncio', 'limits', 'numpy', 'valkey'} & set(sys.modules); sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["frobnicate"], "there is no command"),
        (["chek", "runs/latest"], "there is no command 'chek'; did you mean 'check'?"),
        (["run"], "Missing argument"),
        (["run", "node-kill", "--architecture", "stickymemory"], "no architecture named"),
        (["run", "node-kill", "--architecture", "redis", "--architecture", "redis"], "named twice"),
        (["run", "node-kill", "--engine", "kubernetes"], "no engine named"),
        (["run", "node-kill", "--shoppers", "-3"], "--shoppers"),
        (["run", "node-kill", "--seed", "x"], "--seed"),
        (["run", "node-kill", "--seed", "-1"], "expected a whole number from 0 to 2,147,483,647, not '-1'"),
        (["run", "node-kill", "--workers", "0"], "expected a whole number from 1 to 16, not '0'"),
        (["rehearse", "--shoppers", "many"], "expected a whole number from 1 on, not 'many'"),
        (["run", "node-kil"], "did you mean 'node-kill' or "),
        (["run", "no-such-scenario"], "no-such-scenario"),
        (["plan", "no-such-scenario"], "no-such-scenario"),
        (["check", "no/such/run"], "no/such/run"),
        (["report", "no/such/run"], "no/such/run"),
    ],
)
def test_bad_usage_says_what_and_exits_2(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = call(arguments, capsys)
    assert code == 2
    assert err.startswith("twinshop: ")
    assert says in err
    assert "\n  next: " in err
    assert "Traceback" not in err
    assert out == ""
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.UsageError("x"), 2),
        (errors.PortTaken("x"), 4),
        (errors.Interrupted("x"), 130),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (OSError(28, "No space left on device", "runs/x"), 4),
        (PermissionError(13, "Permission denied", "runs"), 4),
        (UnicodeEncodeError("utf-8", "/caf\udce9/runs", 4, 5, "surrogates not allowed"), 4),
        (RuntimeError("surprise"), 5),
    ],
)
def test_every_ending_has_its_exit_code(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise error

    monkeypatch.setattr(cli.twinshop, "main", fail)
    ended, _out, err = call(["list"], capsys)
    assert ended == code
    assert err.startswith("twinshop: ")
    assert "Traceback" not in err


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, err = call(["plan", "no-such-scenario", "--debug"], capsys)
    assert "Traceback" in err


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("run node-k", ["node-kill", "node-kill-stays-down"]),
        ("plan cal", ["calm"]),
        ("run calm --architecture signed", ["signed-token", "signed-token-sticky"]),
        ("matrix --scenario spi", ["spike"]),
        ("up --architecture roundrobin", ["roundrobin-memory"]),
        ("workshop --architecture sticky-m", ["sticky-memory"]),
        ("matrix --family avail", ["availability"]),
        ("run node-kill --balancer trae", ["traefik", "traefik-as-shipped"]),
        ("run node-kill --engine d", ["docker"]),
    ],
)
def test_a_shell_completes_what_there_is_of_it(typed: str, offered: list[str]) -> None:
    *words, begun = typed.split()
    complete = ShellComplete(cli.twinshop, {}, "twinshop", "_TWINSHOP_COMPLETE")
    assert [item.value for item in complete.get_completions(words, begun)] == offered
