"""What is around the rounds: a dashboard that does not come up is said with its own words, and nothing is left."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest

from compose.engines.registry import engine_named
from compose.supervision.child import Child, spawn
from compose.supervision.ledger import Ledger, hold_machine
from compose.supervision.ledger_file import ledgers
from loadtests.running.progress import Silent
from loadtests.workshop import host as module
from loadtests.workshop.host import WorkshopUrls, hold_workshop, running_workshop
from loadtests.workshop.listen_addresses import ListenAddress
from loadtests.workshop.round_spec import WorkshopRequest
from shared.errors import Busy, Interrupted, NotReadyInTime


def hold(tmp_path: Path, announce: object = lambda opened: None) -> None:
    request = WorkshopRequest(runs=tmp_path / "runs")
    hold_workshop(request, engine_named("processes"), ListenAddress(), Silent(), announce)  # type: ignore[arg-type]


def nothing_is_left(state: Path) -> None:
    assert ledgers(state) == []
    assert running_workshop(state) is None
    assert not (state / "workshop").exists()
    assert list(Path(tempfile.gettempdir()).glob("twinshop-*")) == []


def program(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """That instead of the dashboard."""

    def start(ledger: Ledger, folder: Path, _assignment: object) -> Child:
        return spawn(ledger, "dashboard", [sys.executable, "-c", code], env={}, log=folder / "dashboard.log")

    monkeypatch.setattr(module, "_start_dashboard", start)


def test_a_dashboard_that_ends_is_said_in_its_own_words(
    tmp_path: Path, own_state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("import sys; sys.exit('no such colour')", monkeypatch)
    with pytest.raises(NotReadyInTime) as raised:
        hold(tmp_path)
    assert "exit code 1" in raised.value.why
    assert "no such colour" in raised.value.tail
    nothing_is_left(own_state)


def test_a_dashboard_that_never_answers(tmp_path: Path, own_state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READY_WITHIN_S", 0.1)
    program("import time; time.sleep(600)", monkeypatch)
    with pytest.raises(NotReadyInTime, match="the dashboard did not become ready"):
        hold(tmp_path)
    nothing_is_left(own_state)


@pytest.mark.cluster
def test_interrupted_as_soon_as_it_is_open_nothing_is_left(tmp_path: Path, own_state: Path) -> None:
    seen: list[WorkshopUrls] = []

    def interrupt(opened: WorkshopUrls) -> None:
        seen.append(opened)
        found = running_workshop(own_state)
        assert found is not None
        assert (found.socket, found.workshop) == (opened.control, opened.workshop)
        raise Interrupted("interrupted by SIGINT")

    with pytest.raises(Interrupted):
        hold(tmp_path, interrupt)
    (opened,) = seen
    assert opened.instructor_url.startswith(f"{opened.url}/?key=")
    assert (opened.room_url, opened.join_code) == ("", "")
    nothing_is_left(own_state)
    assert not (tmp_path / "runs").exists(), "no round was begun"


def test_while_a_run_goes_on_there_is_no_workshop(tmp_path: Path, own_state: Path) -> None:
    with hold_machine(own_state), pytest.raises(Busy):
        hold(tmp_path)
