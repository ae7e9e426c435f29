"""The last words of a run, and of `twinshop check`."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import msgspec
import pytest

from loadtests import cli
from loadtests.judging.judge import judge
from loadtests.model.application import ApplicationFacts
from loadtests.model.results import Counted, Prediction
from loadtests.report.terminal import summary
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


def test_after_a_workshops_round_the_next_command_begins_another_one(tmp_path: Path) -> None:
    """Its faults were planned by nobody: there is no plan that could be printed without carrying it out."""
    run = write_run(tmp_path / "run")
    command = ("twinshop", "workshop", "--engine", "processes", "--episode", "kill-one-of-three")
    provenance = msgspec.structs.replace(run.read_provenance(), command=command)
    run.provenance.write_bytes(msgspec.json.encode(provenance))
    said = summary(judge(run.root), run.root)
    assert said.endswith("twinshop workshop --engine processes --episode kill-one-of-three   (another round)")


def told(tmp_path: Path, **changed: object) -> list[str]:
    run = write_run(tmp_path / "run")
    results = judge(run.root)
    redis = msgspec.structs.replace(results.architectures["redis"], **changed)
    results = msgspec.structs.replace(results, architectures={**results.architectures, "redis": redis})
    return summary(results, run.root).splitlines()


def test_what_did_not_happen_has_no_column(tmp_path: Path) -> None:
    assert told(tmp_path, predictions=())[2].endswith("without service")


def test_what_happened_has_one_everywhere(tmp_path: Path) -> None:
    lines = told(tmp_path, still_logged_in=7, counts={"stalled": Counted(3, 9)}, predictions=())
    head, what, sticky, redis = lines[2:6]
    assert re.split(r"\s{2,}", head)[-2:] == ["outlived their logout", "stalled"]
    assert re.split(r"\s{2,}", what)[-2:] == ["(each time)", "(people)"], "what is counted stands below"
    assert sticky.split()[-4:] == ["0", "0", "of", "9"]
    assert redis.split()[-4:] == ["7", "3", "of", "9"]


def test_what_was_predicted_has_one_too(tmp_path: Path) -> None:
    predicted = (Prediction("streams_lost", "0", 0, 0, True),)
    assert told(tmp_path, predictions=predicted)[2].endswith("streams lost")


def test_what_was_not_measured_stands_under_one_heading(tmp_path: Path) -> None:
    facts = ApplicationFacts("shop", "B", "0" * 64, ("login", "me"))
    lines = told(tmp_path, application=facts)
    place = lines.index("shop is of grade B; not measured:")
    assert sum("is of grade" in line for line in lines) == 1
    assert lines[place + 1].startswith("  What the nodes themselves logged")


def test_of_grade_c_nothing_is_said_of_a_balancer_s_log(tmp_path: Path) -> None:
    lines = told(tmp_path, application=ApplicationFacts("shop", "C", "0" * 64, ("login", "me")))
    place = lines.index("shop is of grade C; not measured:")
    assert lines[place + 2].startswith("  What balancer and nodes logged: the shoppers' own record")
    assert not any("reckoned from the balancer's log" in line for line in lines)
