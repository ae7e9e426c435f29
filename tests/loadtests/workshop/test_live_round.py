"""A round whose clusters never stand, or whose end is disturbed: it is left in time, and its folder is whole."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from compose.cluster import ClusterSpec
from compose.engines.contract import Cluster, Engine
from compose.supervision.child import spawn
from compose.supervision.ledger import Ledger
from compose.supervision.ledger_file import ledgers
from loadtests.judging.judge import judge
from loadtests.running.progress import Silent
from loadtests.workshop import live_round as module
from loadtests.workshop.contract import SEATS, guest_name
from loadtests.workshop.listen_addresses import ListenAddress, listen_address
from loadtests.workshop.live_round import LiveRound
from loadtests.workshop.live_side import ABANDON_LEAD_MS, END_LEAD_MS, Signals
from loadtests.workshop.round_spec import WorkshopRequest, round_spec
from shared.errors import EnvironmentNotReady, Interrupted
from tests.waiting import until

LISTEN = ListenAddress(shop_ports=(1, 2))  # nobody listens there: no cluster starts


class Broken(Engine):
    """Starts nothing."""

    name = "broken"

    def __init__(self) -> None:
        self.asked: list[ClusterSpec] = []

    def start_once(self, spec: ClusterSpec, folder: Path, ledger: Ledger) -> Cluster:
        self.asked.append(spec)
        raise EnvironmentNotReady(f"{spec.architecture.name} cannot be started", why="the machine is full")

    def attach(self, folder: Path, ledger: Ledger) -> Cluster:
        raise NotImplementedError


class Hangs(Broken):
    """Waits for a part to be ready that never is, for as long as the part lives."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = threading.Semaphore(0)

    def start_once(self, spec: ClusterSpec, folder: Path, ledger: Ledger) -> Cluster:
        program = [sys.executable, "-c", "import time; time.sleep(600)"]
        part = spawn(ledger, "n1", program, env={}, log=folder / "n1.log")
        self.waits.release()
        while part.alive():
            time.sleep(0.01)
        raise EnvironmentNotReady("n1 ended before it was ready")


def a_round(tmp_path: Path, own_state: Path, engine: Engine, listen: ListenAddress = LISTEN) -> LiveRound:
    spec = round_spec("", WorkshopRequest(shoppers=3))
    command = ("twinshop", "workshop")
    return LiveRound(1, spec, engine, own_state, tmp_path / "runs", Silent(), command, lambda: None, listen)


@pytest.fixture
def failed(tmp_path: Path, own_state: Path) -> Iterator[LiveRound]:
    live = a_round(tmp_path, own_state, Broken())
    live.start()
    assert until(live.over)
    yield live
    live.finish()


def test_a_cluster_that_cannot_start_says_why(failed: LiveRound) -> None:
    error = failed.failure()
    assert isinstance(error, EnvironmentNotReady)
    assert "cannot be started" in str(error)
    assert not failed.stands()


def test_where_nobody_shopped_there_is_nothing_to_report_and_the_folder_is_whole(
    failed: LiveRound, own_state: Path
) -> None:
    failed.abandon()
    assert failed.finish() is None
    assert ledgers(own_state) == []
    assert not failed.folder.report.exists()
    assert not (failed.folder.root.parent / "latest").exists()
    results = judge(failed.folder.root)
    assert [result.verdict for result in results.architectures.values()] == ["inconclusive"] * 2
    assert "the machine is full" in results.architectures["redis"].reasons[0]


def test_who_waits_for_a_cluster_is_not_waited_for(
    tmp_path: Path, own_state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ABANDONED_WITHIN_S", 0.3)
    engine = Hangs()
    live = a_round(tmp_path, own_state, engine)
    live.start()
    assert engine.waits.acquire(timeout=20)
    assert engine.waits.acquire(timeout=20)
    live.abandon()
    assert until(live.over)
    live.finish()
    assert ledgers(own_state) == []


def test_a_round_that_was_never_started_can_be_left(tmp_path: Path, own_state: Path) -> None:
    live = a_round(tmp_path, own_state, Broken())
    live.abandon()
    assert live.finish() is None
    assert ledgers(own_state) == []


def test_interrupted_while_it_is_judged_it_is_judged_again(failed: LiveRound, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise Interrupted("interrupted by SIGINT")

    failed.release()
    with monkeypatch.context() as patch:
        patch.setattr(module, "write_report", interrupt)
        with pytest.raises(Interrupted):
            failed.finish()
    assert failed.finish() is not None
    assert failed.folder.report.exists()
    assert not (failed.folder.root.parent / "latest").exists(), "nobody had closed it"
    assert failed.finish() is None, "it is done"


def test_two_rounds_in_one_second_are_two_folders(tmp_path: Path, own_state: Path) -> None:
    rounds = [a_round(tmp_path, own_state, Broken())]
    spec = round_spec("2", WorkshopRequest(shoppers=3))
    rounds.append(LiveRound(2, spec, Broken(), own_state, tmp_path / "runs", Silent(), (), lambda: None, LISTEN))
    assert len({live.folder.root for live in rounds}) == 2
    for live in rounds:
        live.finish()


class TestCues:
    def test_an_end_is_far_enough_ahead_that_everybody_hears_of_it(self) -> None:
        signals = Signals()
        signals.start()
        assert signals.end_at(0) >= END_LEAD_MS
        assert signals.end_at(60_000) == 60_000

    def test_whoever_leaves_is_in_a_hurry(self) -> None:
        signals = Signals()
        signals.start()
        signals.abandon()
        assert signals.end_ms is not None
        assert ABANDON_LEAD_MS <= signals.end_ms < END_LEAD_MS
        assert signals.abandoned.is_set()

    def test_what_was_said_before_stands(self) -> None:
        signals = Signals()
        signals.start()
        said = signals.end_at(0)
        signals.abandon()
        assert signals.end_ms == said

    def test_before_the_go_there_is_no_end(self) -> None:
        signals = Signals()
        signals.abandon()
        assert signals.end_ms is None
        assert signals.elapsed_ms() == 0


def test_each_shop_is_told_what_the_workshop_calls_it(tmp_path: Path, own_state: Path) -> None:
    engine = Broken()
    live = a_round(tmp_path, own_state, engine, listen_address("127.0.0.1"))
    live.start()
    assert until(live.over)
    live.finish()
    told = {spec.architecture.name: spec.public.title for spec in engine.asked if spec.public}
    assert told == {"sticky-memory": "left shop", "redis": "right shop"}


def test_guests_have_accounts_of_their_own_and_other_passwords_in_each_round(tmp_path: Path, own_state: Path) -> None:
    first, second = (a_round(tmp_path / name, own_state, Broken()) for name in ("1", "2"))
    for live in (first, second):
        left, right = (side.accounts for side in live.sides.values())
        assert left == right
        assert [guest.user for guest in left] == [guest_name(seat) for seat in range(SEATS)]
        assert len({guest.password for guest in left}) == SEATS
        live.finish()
    assert not {guest.password for guest in first.sides["left"].accounts} & {
        guest.password for guest in second.sides["left"].accounts
    }
