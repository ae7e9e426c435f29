"""The workflow in docs/how-to/run-in-ci.md: it is YAML, and what it runs is ours and does what it says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from loadtests import cli
from tests.loadtests.report.exports.runs import written

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "how-to" / "run-in-ci.md"


@pytest.fixture(scope="module")
def workflow() -> dict[Any, Any]:
    (source,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    found = yaml.safe_load(source)
    assert isinstance(found, dict)
    return found


def steps(workflow: dict[Any, Any]) -> list[dict[str, Any]]:
    (job,) = workflow["jobs"].values()
    return list(job["steps"])


def lines(workflow: dict[Any, Any]) -> list[str]:
    return [line for step in steps(workflow) for line in step.get("run", "").splitlines()]


def test_it_has_what_a_workflow_must_have(workflow: dict[Any, Any]) -> None:
    assert set(workflow[True]) == {"pull_request", "workflow_dispatch"}  # to YAML 1.1, `on` is true
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    assert job["runs-on"]
    assert all(("run" in step) != ("uses" in step) for step in job["steps"])
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step["uses"]) for step in job["steps"] if "uses" in step)


def test_it_installs_from_the_lock_file_like_the_makefile(workflow: dict[Any, Any]) -> None:
    installs = [line.removeprefix("python -m pip ") for line in lines(workflow) if "pip" in line]
    makefile = (ROOT / "Makefile").read_text()
    asked = ["install --require-hashes -r requirements.lock", "install --no-deps --no-build-isolation -e ."]
    assert installs == asked
    for words in asked:
        assert words.removeprefix("install ") in makefile
    (cached,) = (step["with"]["cache-dependency-path"] for step in steps(workflow) if "cache" in step.get("with", {}))
    assert (ROOT / cached).is_file()


def test_its_commands_and_options_exist(workflow: dict[Any, Any]) -> None:
    asked = [shlex.split(line.partition(" >> ")[0])[1:] for line in lines(workflow) if line.startswith("twinshop ")]
    assert [words[0] for words in asked] == ["doctor", "run", "export", "export", "export", "export"]
    for name, *words in asked:
        command = cli.command_named(name)
        # Reads the words, and carries out nothing; with the group's names for help, because click keeps them.
        command.make_context(name, words, help_option_names=["-h", "--help"])


def test_what_follows_the_run_is_done_when_it_failed_too(workflow: dict[Any, Any]) -> None:
    names = [step.get("run", "") for step in steps(workflow)]
    (at,) = (number for number, run in enumerate(names) if run.startswith("twinshop run "))
    assert "if" not in steps(workflow)[at]
    assert [step["if"] for step in steps(workflow)[at + 1 :]] == ["${{ !cancelled() }}"] * 2


def test_the_summary_and_the_artifacts_are_there_after_a_run(workflow: dict[Any, Any], tmp_path: Path) -> None:
    (step,) = (step for step in steps(workflow) if "GITHUB_STEP_SUMMARY" in step.get("run", ""))
    run = written(tmp_path / "runs" / "20261121-000000-model-1")
    for path in (run.results, run.report):
        path.write_text("as twinshop run leaves it")
    (tmp_path / "runs" / "latest").symlink_to(run.root.name)
    program = tmp_path / "bin" / "twinshop"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m loadtests.cli "$@"\n')
    program.chmod(0o755)
    told = tmp_path / "summary.md"
    told.write_text("# from the step before\n")
    there = {**os.environ, "GITHUB_STEP_SUMMARY": str(told), "PATH": f"{program.parent}:{os.environ['PATH']}",
             "PYTHONPATH": str(ROOT)}  # fmt: skip
    done = subprocess.run(
        ["bash", "-e", "-c", step["run"]], cwd=tmp_path, env=there, capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert told.read_text().startswith("# from the step before\n## ✅ Twinshop: as predicted\n")
    (kept,) = (step["with"]["path"] for step in steps(workflow) if "upload-artifact" in step.get("uses", ""))
    assert sorted(path.name for path in (tmp_path / kept).iterdir()) == [
        "actions.csv", "badge.svg", "junit.xml", "losses.csv", "measures.csv", "report.html", "results.json",
    ]  # fmt: skip
