"""For tests that run applications which are none of the twins: the shipped examples, and a small one to be broken."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from compose.engines.registry import engine_named
from loadtests.checks import MEASURES
from loadtests.model.results import ArchitectureResult
from loadtests.running.application import ApplicationUnderTest
from loadtests.running.progress import Silent
from loadtests.running.run import RunRequest, run

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples" / "apps"
SHORT = Path(__file__).with_name("described") / "short.toml"
"""A node dies and comes back, in four seconds."""
KILL_AND_DEPLOY = SHORT.with_name("kill-and-deploy.toml")
CALM, DEPLOY = SHORT.with_name("calm.toml"), SHORT.with_name("deploy.toml")
BROKEN = SHORT.parent
PROGRAMS = {"php": ("php",), "express": ("node", "npm"), "tomcat": ("java",)}
TOMCAT = Path("/usr/share/java/tomcat10-catalina-ha.jar")


def example(name: str) -> Path:
    """The description of a shipped example whose runtime is there; what npm installs is put beside it.

    Without the runtime tests are skipped; in continuous integration, which installs it, they fail.
    """
    missing = [program for program in PROGRAMS.get(name, ()) if shutil.which(program) is None]
    if name == "tomcat" and not TOMCAT.exists():
        missing.append("libtomcat10-java")
    if missing:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"no {' or '.join(missing)} on this machine: see .ci/run")
    folder = EXAMPLES / name
    if name == "express" and not (folder / "node_modules").exists():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True, timeout=100)
    return folder / "app.toml"


class Break(NamedTuple):
    """One way to be broken, and how it is found out."""

    what: str
    """As `described/app.py` has it in its environment."""
    measure: str
    """What counts it."""
    sessions: str = "shared"
    scenario: Path = CALM


BREAKS = (
    Break("lost on every tenth request", "logged_out"),
    Break("somebody else's session", "wrong_user"),
    Break("somebody else's note", "wrong_user"),
    Break("logout that does not", "still_logged_in"),
    Break("four workers", "logged_out", "memory"),
    Break("login that is none", "logged_out"),
    Break("redirect loops", "failed_shoppers"),
    Break("csrf token per node", "failed_shoppers"),
    Break("clock skew", "logged_out", "token"),
    Break("cookie renamed on deploy", "logged_out", scenario=DEPLOY),
    Break("every fifth note is lost", "carts_rolled_back"),
    Break("notes emptied at login", "carts_lost"),
    Break("error after the commit", "server_errors"),
)


def broken(folder: Path, breaks: Sequence[Break]) -> Path:
    """The description of an application of which each variant is broken in one of these ways; the last one in none."""
    whole = [*breaks, Break("", "", breaks[0].sessions)]
    lines = (BROKEN / "app.toml").read_text().partition("[variant]")[0].splitlines()
    for number, each in enumerate(whole):
        affinity = "cookie" if each.sessions == "memory" else "round-robin"
        env = {"BREAK": each.what, "SESSIONS": each.sessions}
        lines += [
            f"[variant.b{number}]", f'sessions = "{each.sessions}"', f'affinity = "{affinity}"',
            f"env = {{ {', '.join(f'{name} = {json.dumps(value)}' for name, value in env.items())} }}",
        ]  # fmt: skip
    shutil.copy(BROKEN / "app.py", folder)
    file = folder / "app.toml"
    file.write_text("\n".join(lines) + "\n")
    return file


def found(runs: Path, breaks: Sequence[Break], seed: int = 1) -> list[ArchitectureResult]:
    """What came of each break, and last of the whole one; all breaks are of one scenario."""
    under_test = ApplicationUnderTest.load(broken(runs, breaks))
    request = RunRequest(str(breaks[0].scenario), (), seed, runs=runs / "runs", application=under_test)
    return list(run(request, engine_named("processes"), Silent()).results.architectures.values())


def counted(result: ArchitectureResult, measure: str) -> float:
    """What was counted there."""
    value = MEASURES[measure].read(result)
    assert value is not None
    return value
