"""A field of the evidence whose name is damaged is an error with its line, and not a field that was never there."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.cli import main
from loadtests.model.run_folder import RunFolder
from tests.loadtests.model_run import write_run


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return write_run(tmp_path / "run", architectures=("sticky-memory",))


@pytest.mark.parametrize(
    "name", ["sent_us", "done_us", "status", "node", "sku", "quantity", "user", "cart", "order", "key"]
)
def test_of_the_history(run: RunFolder, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = run.history.read_bytes().splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if f'"{name}":'.encode() in line)
    lines[at] = lines[at].replace(f'"{name}":'.encode(), f'"{name[:-1]}":'.encode(), 1)
    run.history.write_bytes(b"".join(lines))
    assert main(["check", str(run.root)]) == 2
    assert f"history.ndjson, line {at + 1}: not a history record" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["evidence", "why", "stop_s", "session_cap", "replicas"])
def test_of_the_events(run: RunFolder, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = run.events.read_bytes().splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if f'"{name}":'.encode() in line)
    lines[at] = lines[at].replace(f'"{name}":'.encode(), f'"{name}x":'.encode(), 1)
    run.events.write_bytes(b"".join(lines))
    assert main(["check", str(run.root)]) == 2
    assert f"events.ndjson, line {at + 1}: not an event" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["sku", "quantity", "client", "victim", "late_ms"])
def test_of_the_plan(run: RunFolder, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    content = run.plan.read_bytes()
    assert f'"{name}":'.encode() in content
    run.plan.write_bytes(content.replace(f'"{name}":'.encode(), f'"{name}x":'.encode(), 1))
    assert main(["check", str(run.root)]) == 2
    assert "plan.json" in capsys.readouterr().err
