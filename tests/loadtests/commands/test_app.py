"""`twinshop app table`: what was measured and what could not be, in one table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loadtests.cli import main
from loadtests.commands import app as module
from loadtests.commands.app import TableCell
from shared.errors import EnvironmentNotReady
from tests.applications import BROKEN

FILE = str(BROKEN / "app.toml")


@pytest.fixture(autouse=True)
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """`calm` goes as predicted; `node-kill` cannot be carried out."""

    def run_one(file: Path, scenario: str, *_: object) -> list[TableCell]:
        if scenario != "calm":
            raise EnvironmentNotReady("n1 did not become ready", why="the time is over", next_step="look")
        return [TableCell("broken-memory", scenario, 8, 1, 3, "as predicted", 0, "runs/1")]

    monkeypatch.setattr(module, "_run_one", run_one)


def test_what_cannot_be_carried_out_is_said_and_the_others_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["app", "table", FILE, "--scenario", "node-kill", "--scenario", "calm"])
    said = capsys.readouterr()
    assert code == 4
    assert "node-kill, was not run: n1 did not become ready: the time is over" in said.err
    memory = next(line for line in said.out.splitlines() if "broken-memory" in line)
    assert "not run" in memory
    assert "1 of 8, 3 at risk; as predicted" in memory


def test_a_failure_is_not_masked_by_what_proved_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def run_one(file: Path, scenario: str, *_: object) -> list[TableCell]:
        code, verdict = (1, "not as predicted") if scenario == "calm" else (3, "inconclusive")
        return [TableCell("broken-memory", scenario, 8, 1, 3, verdict, code, "runs/1")]

    monkeypatch.setattr(module, "_run_one", run_one)
    assert main(["app", "table", FILE, "--scenario", "node-kill", "--scenario", "calm"]) == 1


def test_it_is_a_document_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["app", "table", FILE, "--scenario", "calm", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [(cell["logged_out"], cell["run"], cell["why"]) for cell in document["cells"]] == [(1, "runs/1", "")]


@pytest.mark.parametrize(
    ("exactly", "at_risk", "says"),
    [
        (True, 3, "3 of 8, the 3 at risk; as predicted"),
        (False, 3, "3 of 8, 3 at risk; as predicted"),
        (True, 0, "3 of 8, 0 at risk; as predicted"),
        (False, None, "3 of 8; as predicted"),
    ],
)
def test_as_many_are_not_the_same_people(exactly: bool, at_risk: int | None, says: str) -> None:
    cell = TableCell("notes-memory", "node-kill", 8, 3, at_risk, "as predicted", 0, "runs/1", exactly)
    assert cell.text == says


def test_a_description_that_cannot_be_read_ends_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["app", "table", str(BROKEN / "nothing.toml")]) == 2
    assert "cannot read" in capsys.readouterr().err


def test_its_commands_can_be_pasted_whatever_the_file_is_called(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "my shop.toml"
    for words, code, says in (
        (["app", "check", str(file)], 2, f"twinshop app new '{file}'"),
        (["app", "new", str(file)], 0, f"twinshop app check '{file}'"),
        (["app", "new", str(file)], 2, f"twinshop app check '{file}'"),
        (["run", "calm", "--app", str(file), "--architecture", "no"], 2, f"twinshop app check '{file}'"),
        (["claims", "--out", str(tmp_path / "my matrix")], 2, f"twinshop matrix --out '{tmp_path / 'my matrix'}'"),
    ):
        assert main(words) == code
        said = capsys.readouterr()
        assert says in said.out + said.err


def test_its_plan_says_what_its_people_do_and_what_its_variants_cost(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "node-kill", "--app", FILE]) == 0
    page = capsys.readouterr().out
    assert "described: They log in, look who they are" in page
    assert "broken-memory" in page
    assert "sticky-memory" not in page
