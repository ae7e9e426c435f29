"""The last words of a run, and of `twinshop check`."""

from __future__ import annotations

import shlex
from pathlib import Path

import msgspec
import pytest

from loadtests import cli
from tests.loadtests.command import SMALL_KILL
from tests.loadtests.model_run import write_run


@pytest.mark.parametrize("asked", ["node-kill", "my scenarios/small kill.toml"])
def test_the_next_command_prints_the_plan_of_this_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], asked: str
) -> None:
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / "my scenarios"
    mine.mkdir()
    (mine / "small kill.toml").write_text(SMALL_KILL)
    run = write_run(tmp_path / "run")
    told = run.read_provenance()
    command = ("twinshop", "run", asked, "--seed", str(told.seed), "--engine", "processes")
    run.provenance.write_bytes(msgspec.json.encode(msgspec.structs.replace(told, command=command)))
    assert cli.main(["check", str(run.root)]) in {0, 1, 3}
    said = capsys.readouterr().out
    (line,) = (line for line in said.splitlines() if line.startswith("next "))
    words = shlex.split(line.removeprefix("next").partition("(")[0])
    assert words[0] == "twinshop"
    assert cli.main(words[1:]) == 0
    page = capsys.readouterr().out
    assert f"{told.shoppers} shoppers" in page
    assert f"seed     {told.seed}" in page
