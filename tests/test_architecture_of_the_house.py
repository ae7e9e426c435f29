"""The house is easy to see: the rooms that were promised, nothing beside them, no junk rooms, no endless modules."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROMISED = {
    "pyproject.toml", "README.md", "stateful_app", "stateless_app", "shared", "loadtests", "compose", "tests", "docs",
}  # fmt: skip
WANTED_BY_TOOLS = {"LICENSE", "Makefile", "requirements.lock", "requirements-dev.lock"}


def tracked() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: there is no list of files to look at")
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    return [Path(line) for line in done.stdout.splitlines()]


def test_the_top_level_is_fixed() -> None:
    top = {path.parts[0] for path in tracked() if not path.parts[0].startswith(".")}
    assert top == PROMISED | WANTED_BY_TOOLS


def test_no_junk_rooms() -> None:
    junk = {"utils", "helpers", "manager", "misc", "common"}
    assert [path for path in tracked() if path.suffix == ".py" and path.stem in junk] == []


def test_modules_stay_small() -> None:
    long = {
        str(path): lines
        for path in tracked()
        if path.suffix == ".py" and (lines := len((ROOT / path).read_text().splitlines())) > 400
    }
    assert long == {}
