"""For tests that run applications which are none of the twins: the shipped examples, and a small one to be broken."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples" / "apps"
SHORT = Path(__file__).with_name("short.toml")
"""A node dies and comes back, in four seconds."""
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
