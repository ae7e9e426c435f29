"""Descriptions that can be read, of what cannot be started, hangs, tells its secrets, or is not what its file says.

What makes no sense by itself is refused in tests/compose/applications/test_description_file.py, and which step of the
walk goes otherwise is in tests/loadtests/running/test_walk.py. Here the command line is asked, and nothing may be left.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

from loadtests.cli import main
from tests.applications import BROKEN, SHORT

pytestmark = [pytest.mark.long, pytest.mark.cluster]
TEXT = (BROKEN / "app.toml").read_text().replace('"app.py"', f'"{BROKEN / "app.py"}"')
NODE = TEXT.partition("[node]\n")[2].partition("\n")[0]
PATTERN = 'pattern = "u{number}"\npassword = "example"\n'
SECRET = "hush-hush-4711"


def command(shell: str) -> str:
    """A line that starts a node by way of a shell."""
    return f"command = ['sh', '-c', '{shell}', '{{port}}']"


def accounts(shell: str) -> str:
    """The line of a command that makes accounts."""
    return f"command = ['sh', '-c', '{shell}']\n"


def described(folder: Path, *changes: tuple[str, str]) -> str:
    """The file with these lines in the places of those."""
    text = TEXT
    for written, instead in changes:
        assert written in text
        text = text.replace(written, instead, 1)
    file = folder / "app.toml"
    file.write_text(text)
    return str(file)


BAD = [
    # what is written, in whose place, the exit code, and what is said of it
    (NODE, 'command = ["no-such-program-anywhere", "{port}"]', 4, "no-such-program-anywhere"),
    (NODE, command("exit 3"), 4, "n1 did not become ready"),
    (NODE, command("sleep 60"), 4, "n1 did not become ready"),
    (NODE, f"{NODE}\nprepare = ['sh', '-c', 'exit 3']", 4, "ended with exit code 3"),
    (NODE, f"{NODE}\nprepare = ['no-such-program-anywhere']", 4, "cannot be started"),
    (NODE, f"{NODE}\nprepare = ['sleep', '60']", 4, "did not end within"),
    ('ready = "/health"', 'ready = "/nowhere"', 4, "n1 did not become ready"),
    (PATTERN, accounts(f"echo {SECRET}; exit 1"), 4, "it ended with exit code 1"),
    (PATTERN, accounts(f"echo {SECRET}; sleep 60"), 4, "it took longer than"),
    (PATTERN, accounts(f"echo {SECRET}"), 4, "not a name and a password"),
    (PATTERN, accounts(f"echo u1 {SECRET}"), 2, "has 1 account for 2 shoppers"),
    (PATTERN, "command = ['no-such-program-anywhere']\n", 4, "no-such-program-anywhere"),
    ('user = { css = "b" }', 'user = { css = "i" }', 2, "who am I?"),
    ('send = "GET /"\nuser = { css = "b" }', 'send = "GET /health"', 2, "nobody could tell a stranger"),
    ("[login]\n", "[login]\nok2 = 1\n", 2, "no key 'ok2'"),
]


@pytest.mark.parametrize(("written", "instead", "code", "says"), BAD)
def test_what_is_wrong_is_said_with_its_exit_code(
    written: str, instead: str, code: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("compose.applications.described.PREPARED_WITHIN_S", 5.0)
    monkeypatch.setattr("loadtests.running.application.ACCOUNTS_WITHIN_S", 5.0)
    file = described(tmp_path, ("ready_within_s = 60", "ready_within_s = 10"), (written, instead))
    found = main(["app", "check", file])
    said = capsys.readouterr()
    assert found == code, said.err
    assert says in said.err + said.out
    assert "Traceback" not in said.err
    assert SECRET not in said.err + said.out


def test_an_address_beyond_this_machine_needs_the_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head, _, rest = TEXT.partition("[node]")
    file = tmp_path / "app.toml"
    file.write_text(f'{head}[running]\nurl = "http://192.0.2.1"\n[accounts]{rest.partition("[accounts]")[2]}')
    assert main(["app", "check", str(file)]) == 2
    assert "--beyond-this-machine" in capsys.readouterr().err


def test_what_a_node_and_its_preparation_tell_of_passwords_and_keys_is_kept_nowhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A node prints its environment with the cluster's key, and each password; so does what prepares it."""
    tells = f"echo {SECRET}; env; exec {sys.executable} {BROKEN / 'app.py'} $0"
    file = described(
        tmp_path,
        (NODE, f"{command(tells)}\nprepare = ['sh', '-c', 'env; echo {SECRET}']"),
        ('SECRET = "{secret}"', f'SECRET = "{{secret}}", LIKE_ALL = "key-{{secret}}", PASSWORD = "{SECRET}"'),
        (PATTERN, f'list = [{", ".join(f"""["u{n}", "{SECRET}"]""" for n in range(1, 10))}]\n'),
        ('send = "GET /"\nuser', 'send = "GET /?key={password}"\nuser'),
    )
    folder = tmp_path / "runs"
    main(["run", str(SHORT), "--app", file, "--architecture", "shared", "--runs", str(folder)])
    (run,) = (path.parent for path in folder.rglob("plan.json"))
    bundle = tmp_path / "run.zip"
    assert main(["bundle", str(run), "--out", str(bundle)]) == 0
    capsys.readouterr()
    logs = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert any(b"LIKE_ALL=key-[secret]" in kept for path, kept in logs.items() if path.name == "n1.log")
    assert any(b"LIKE_ALL=key-[secret]" in kept for path, kept in logs.items() if path.name == "prepare.log")
    with zipfile.ZipFile(bundle) as packed:
        kept = {**logs, **{Path(name): packed.read(name) for name in packed.namelist()}}
    assert [path for path, content in kept.items() if SECRET.encode() in content] == []
