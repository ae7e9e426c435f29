"""An application that runs without us: its owner's commands break it, and what was not observed did not happen."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest

from compose.applications.description_file import load_description
from compose.supervision.ports import free_ports
from loadtests.model.results import ArchitectureResult
from loadtests.running.application import ApplicationUnderTest, accounts_of
from loadtests.running.progress import Silent
from loadtests.running.run import RunRequest, run
from shared.errors import EnvironmentNotReady, UsageError
from tests.applications import BROKEN, SHORT

OWNER = BROKEN / "owner.py"
SECRET = "do-not-tell-anybody"


class Elsewhere:
    """The application as its owner runs it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_ports(1)[0]
        self.file = folder / "app.toml"

    def command(self, what: str) -> list[str]:
        return [sys.executable, str(OWNER), what, str(self.port), str(self.folder)]

    def do(self, what: str) -> None:
        subprocess.run(self.command(what), check=True, stdout=subprocess.DEVNULL, timeout=20)

    def describe(self, *, url: str = "", most: float = 200, **commands: list[str]) -> None:
        text = (BROKEN / "app.toml").read_text()
        head, _, rest = text.partition("[node]")
        requests = rest.partition("[accounts]")[2].partition("[variant]")[0]
        told = {"inject": "kill", "observe": "down", "heal": "start", "observe_healed": "up"}
        lines = [f"{name} = {commands.get(name, self.command(word))!r}" for name, word in told.items()]
        self.file.write_text(
            f'{head}[running]\nurl = "{url or f"http://127.0.0.1:{self.port}"}"\nmost_per_second = {most}\n'
            f"[fault.kill]\n{chr(10).join(lines)}\nwithin_s = 5\n"
            f'[variant]\nonly = {{ sessions = "memory" }}\n[accounts]{requests}'
        )

    def run(self) -> tuple[ArchitectureResult, Path]:
        under_test = ApplicationUnderTest.load(self.file)
        engine = under_test.engine
        assert engine is not None
        # As the command line has it: the load processes have a working folder of their own.
        request = RunRequest(str(SHORT), runs=Path("runs"), application=under_test)
        with chdir(self.folder):
            finished = run(request, engine, Silent())
        (result,) = finished.results.architectures.values()
        return result, self.folder / finished.folder.root


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    it = Elsewhere(tmp_path)
    it.do("start")
    yield it
    it.do("kill")


@pytest.mark.cluster
def test_whoever_was_logged_in_when_its_owner_killed_it_is_logged_out_and_nobody_says_more(
    elsewhere: Elsewhere,
) -> None:
    elsewhere.describe()
    result, folder = elsewhere.run()
    assert result.logged_out.shoppers == result.shoppers == 9
    assert result.at_risk is None
    assert result.facts is not None
    assert (result.facts.grade, result.books_balance) == ("C", True)
    assert result.verdict == "inconclusive"
    assert result.reasons == ("logged_out was predicted by at_risk (at_risk), which was not measured",)
    kept = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert SECRET.encode() not in kept
    assert b'"example"' not in kept  # the password of the accounts
    elsewhere.do("up")


@pytest.mark.cluster
def test_what_was_not_observed_did_not_happen(elsewhere: Elsewhere) -> None:
    elsewhere.describe(inject=["true"])
    result, _ = elsewhere.run()
    assert result.logged_out.shoppers == 0
    assert result.verdict == "inconclusive"
    assert any("nobody observed that it happened" in reason for reason in result.reasons)


def test_an_address_beyond_this_machine_needs_a_word(tmp_path: Path) -> None:
    it = Elsewhere(tmp_path)
    it.describe(url="http://192.0.2.1:80")
    with pytest.raises(UsageError, match="not on this machine") as caught:
        ApplicationUnderTest.load(it.file)
    assert "--beyond-this-machine" in caught.value.next_step
    assert ApplicationUnderTest.load(it.file, beyond=True).facts.grade == "C"


def test_a_plan_that_would_send_too_much_is_refused(tmp_path: Path) -> None:
    it = Elsewhere(tmp_path)
    it.describe(most=5)
    with pytest.raises(UsageError, match="requests a second") as caught:
        it.run()
    assert "--shoppers" in caught.value.next_step


def test_nobody_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compose.engines.running.ANSWERS_WITHIN_S", 0.2)
    it = Elsewhere(tmp_path)
    it.describe()
    with pytest.raises(EnvironmentNotReady, match="nobody answers"):
        it.run()


def test_a_fault_without_commands_cannot_be_carried_out(tmp_path: Path) -> None:
    it = Elsewhere(tmp_path)
    it.describe()
    it.file.write_text(it.file.read_text().replace("[fault.kill]", "[fault.freeze]"))
    with pytest.raises(UsageError, match="cannot be carried out") as caught:
        it.run()
    assert "[fault.kill]" in caught.value.why


@pytest.mark.parametrize(("checked", "says"), [(True, "add one to `[accounts] list`"), (False, "add --shoppers 1")])
def test_whoever_only_checks_is_not_told_an_option_of_runs(tmp_path: Path, checked: bool, says: str) -> None:
    text = (BROKEN / "app.toml").read_text()
    lines = [line for line in text.splitlines() if not line.startswith(("pattern", "password"))]
    file = tmp_path / "app.toml"
    file.write_text("\n".join(lines).replace("[accounts]", '[accounts]\nlist = [["anna", "secret"]]'))
    with pytest.raises(UsageError, match="has 1 account for 2") as raised:
        accounts_of(load_description(file), 2, checked=checked)
    assert says in raised.value.next_step
