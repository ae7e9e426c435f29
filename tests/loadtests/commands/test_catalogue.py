"""`twinshop list`."""

from __future__ import annotations

import json

import pytest

from compose.architectures import ARCHITECTURES
from compose.balancers import BALANCERS
from loadtests.behaviours import BEHAVIOURS
from loadtests.checks import CHECKS, MEASURES
from loadtests.cli import main
from loadtests.faults import FAULTS
from loadtests.planning.scenario_file import all_scenarios


def test_it_names_everything_within_a_hundred_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert max(map(len, lines)) <= 100
    first_words = {line.split()[0] for line in lines if line.startswith("  ") and not line.startswith("   ")}
    names = {scenario.name for scenario in all_scenarios()} | {check.kind for check in CHECKS.values()}
    assert first_words == names | set(ARCHITECTURES) | set(FAULTS) | set(BEHAVIOURS) | set(MEASURES) | set(BALANCERS)


def test_a_family_or_a_word_narrows_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "availability", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document["scenarios"]) == {"availability"}
    assert set(document) == {"schema", "scenarios"}
    assert main(["list", "REPLICA", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert "redis-replica" in document["architectures"]
    assert "redis" not in document["architectures"]
    assert all("replica" in f"{name} {says}".lower() for name, says in document["faults"].items())
    assert main(["list", "faults", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"schema", "scenarios", "faults"}
    assert main(["list", "avail", "--json"]) == 0
    assert "availability" in json.loads(capsys.readouterr().out)["scenarios"]
    assert main(["list", "no such thing"]) == 2
    assert "twinshop list" in capsys.readouterr().err


def test_scenarios_stand_below_their_family(capsys: pytest.CaptureFixture[str]) -> None:
    main(["list", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == 1
    families = {name: set(rows) for name, rows in document["scenarios"].items()}
    assert "calm" in families["control"]
    for scenario in all_scenarios():
        assert document["scenarios"][scenario.family][scenario.name] == scenario.question
    words = {"schema", "scenarios", "architectures", "balancers", "faults", "checks", "measures", "behaviours"}
    assert set(document) == words
