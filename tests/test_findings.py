"""Each finding's reproducer, as a vendor would run it: twenty lines, with nothing of ours."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from compose.balancers import BALANCERS

FINDINGS = sorted((Path(__file__).parents[1] / "docs" / "examples" / "findings").glob("*.py"))


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH that begins with the programs of our packages."""
    folder = tmp_path_factory.mktemp("programs")
    for name in ("nginx", "traefik", "caddy"):
        (folder / name).symlink_to(BALANCERS[name].program().path)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.cluster
@pytest.mark.parametrize("finding", FINDINGS, ids=lambda path: path.stem)
def test_it_is_still_so(finding: Path, programs: str, tmp_path: Path) -> None:
    environment = os.environ | {"PATH": programs, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, finding], env=environment, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda path: path.stem)
def test_it_has_twenty_lines_and_needs_nothing_of_ours(finding: Path) -> None:
    text = finding.read_text()
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    assert len(text.strip().splitlines()) - 1 <= 20
    imports = {
        name.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    }
    assert imports <= set(sys.stdlib_module_names)


def test_there_are_five() -> None:
    assert len(FINDINGS) >= 5
