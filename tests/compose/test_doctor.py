from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from compose import doctor
from compose.doctor import DOCKER_LOOKS, MACHINE_LOOKS, DoctorCheck, LookResult, examine, ready
from loadtests.cli import main
from shared.errors import EnvironmentNotReady


def test_the_machine_and_the_processes_engine_are_looked_at() -> None:
    checks = examine(MACHINE_LOOKS)
    assert {check.name for check in checks} >= {"python", "ports", "disk", "memory", "clock", "open files", "envoy"}
    assert next(check for check in checks if check.name == "envoy").says == "1.40.0"
    assert all((check.says and check.mend) or check.ok for check in checks)
    assert ready(checks, "processes")


def test_without_a_docker_engine_each_look_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    checks = examine(DOCKER_LOOKS)
    assert {check.name for check in checks if not check.ok} >= {"docker engine", "images", "docker clock"}
    assert all(check.mend for check in checks if not check.ok)
    assert not ready(checks, "docker")
    assert ready(checks, "processes")


def test_a_look_that_takes_too_long_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "WITHIN_S", 0.1)
    enough = threading.Event()

    def slow() -> LookResult:
        enough.wait(60)
        return LookResult(True, "at last")

    began = time.monotonic()
    (check,) = examine({("docker", "slow"): slow})
    assert time.monotonic() - began < 30
    enough.set()
    assert (check.ok, check.name) == (False, "slow")
    assert "no answer" in check.says


def test_a_look_that_fails_says_why() -> None:
    def refuses() -> LookResult:
        raise EnvironmentNotReady("no", why="because", next_step="do this")

    def breaks() -> LookResult:
        raise ValueError("odd")

    first, second = examine({("docker", "a"): refuses, ("docker", "b"): breaks})
    assert (first.ok, first.says, first.mend) == (False, "no: because", "do this")
    assert (second.ok, second.says) == (False, "ValueError: odd")
    assert second.mend


def test_what_is_not_needed_does_not_count() -> None:
    without = DoctorCheck("docker", "compose", False, "none", "install it", needed=False)
    assert ready((without,), "docker")
    everywhere = DoctorCheck("machine", "disk", False, "full", "free some")
    assert not ready((without, everywhere), "docker")
    assert not ready((everywhere,), "processes")


def test_asked_of_one_engine_the_command_tells_of_that_one_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--engine", "processes", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ready"] == {"processes": True}
    assert {check["engine"] for check in told["checks"]} == {"machine", "processes"}
    main(["doctor", "--engine", "docker"])
    out = capsys.readouterr().out
    assert "engine docker: " in out
    assert "processes" not in out
