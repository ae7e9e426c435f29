"""One side, fed by hand: events that come late, shoppers as dots, and numbers that settle."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from compose.architectures import ARCHITECTURES
from compose.cluster import Limits
from loadtests.checks.logged_out import LoggedOut
from loadtests.judging.judge import judge
from loadtests.model.events import (
    AtRisk,
    ClusterReady,
    Event,
    FaultEvent,
    FaultPhase,
    LoadEnded,
    LoadStarted,
    NodeSample,
    read_events,
)
from loadtests.model.history import Do, Exchange, StoredOrder, read_history
from loadtests.model.run_folder import RunFolder
from loadtests.workshop.contract import FaultMark, LiveCounts, RoundSide, ShopperView, SideFrame
from loadtests.workshop.live.live_replay import MOST_OF_ONE
from loadtests.workshop.live.picture import LivePicture
from loadtests.workshop.live.side import DELAY_US, MERGED, SideWatch
from tests.loadtests.model_run import write_run
from tests.loadtests.workshop.live.growing import GrowingRun, round_of

LATER_US = 60_000_000
NODES = ("n1", "n2", "n3")


def a_side(architecture: str) -> RoundSide:
    return RoundSide("left", architecture, True, "", NODES, NODES, ())


class Told:
    """A side, and short words for what it is told."""

    def __init__(self, architecture: str = "sticky-memory", shoppers: int = 2) -> None:
        self.architecture = architecture
        self.watch = SideWatch(a_side(architecture), shoppers)
        about = ARCHITECTURES[architecture]
        self.hear(ClusterReady(architecture, -900_000, about, "processes", ("n1", "n2", "n3"), Limits(), {}, 1.0))
        self.hear(LoadStarted(architecture, -200_000, 1_000_000_000, 1))
        self._requests = 0

    def hear(self, event: Event) -> None:
        self.watch.hear(event)

    def fault(self, phase: FaultPhase, at_ms: int, kind: str = "kill", victim: str = "n2") -> None:
        self.hear(FaultEvent(self.architecture, at_ms * 1000, 0, kind, victim, phase, ("seen",)))

    def asked(self, do: Do, at_ms: int, *, shopper: int = 1, node: str = "n2", **changes: object) -> Exchange:
        self._requests += 1
        exchange = Exchange(
            self.architecture, shopper, f"r-{self._requests}", "plan", do, "ok", at_ms * 1000, at_ms * 1000,
            at_ms * 1000 + 5000, status=200, node=node,
        )  # fmt: skip
        exchange = msgspec.structs.replace(exchange, **changes)
        self.watch.recorded(exchange, "history-0.ndjson")
        return exchange

    def stranger(self, at_ms: int, node: str = "n1", shopper: int = 1) -> Exchange:
        return self.asked("me", at_ms, shopper=shopper, node=node, outcome="failed", status=401)

    def at(self, now_ms: int, *, over: bool = False) -> SideFrame:
        return self.watch.advance(now_ms * 1000, over=over)

    def counts(self) -> LiveCounts:
        counts = self.watch.picture().counts
        assert counts is not None
        return counts


@pytest.fixture
def told() -> Told:
    return Told()


class TestShoppers:
    def test_a_shopper_comes_in_is_logged_out_and_comes_back(self, told: Told) -> None:
        told.asked("login", 100)
        assert told.at(700).shoppers == (
            ShopperView(1, "n2", "shopping", hurt=False), ShopperView(2, "", "outside", hurt=False),
        )  # fmt: skip
        told.stranger(1000)
        told.at(1300)
        assert told.at(1600).shoppers == (ShopperView(1, "n1", "logged_out", hurt=True),)
        told.stranger(2000)
        told.asked("login", 2100, node="n3", why="recovery")
        assert told.at(2700).shoppers == (ShopperView(1, "n3", "shopping", hurt=True),)

    def test_who_logs_out_by_themselves_is_outside_and_not_hurt(self, told: Told) -> None:
        told.asked("login", 100)
        told.asked("logout", 200)
        assert told.at(1000).shoppers[0] == ShopperView(1, "n2", "outside", hurt=False)

    def test_an_answer_is_judged_after_its_delay(self, told: Told) -> None:
        told.at(0)
        login = told.asked("login", 100)
        assert told.watch.advance(login.done_us + DELAY_US - 1).shoppers == ()
        assert len(told.watch.advance(login.done_us + DELAY_US).shoppers) == 1

    def test_what_was_done_with_other_cookies_moves_nobody(self, told: Told) -> None:
        told.asked("login", 100)
        told.at(1000)
        told.asked("cart", 1100, node="n3", jar="second")
        assert told.at(2000).shoppers == ()


class TestEventsThatComeLate:
    def lost(self, told: Told) -> list[tuple[int, str]]:
        return [(view.loss, view.cause) for view in told.watch.picture().losses]

    def test_a_cause_is_corrected_when_the_fault_is_seen(self, told: Told) -> None:
        told.asked("login", 100)
        told.fault("injected", 1000)
        told.stranger(1100)
        first = told.at(2500)
        assert [(view.loss, view.cause) for view in first.losses] == [(0, "held_for_dead")], (
            "as far as anybody knows yet"
        )
        told.fault("observed", 3000)
        second = told.at(3100)
        assert [(view.loss, view.cause) for view in second.losses] == [(0, "node_killed")]
        assert self.lost(told) == [(0, "node_killed")]
        loss = told.watch.loss(0)
        assert loss is not None
        assert any("n2 killed" in event.what for event in loss.witness)
        assert told.counts().logged_out == 1

    def test_what_was_lost_before_the_fault_is_not_its_doing(self, told: Told) -> None:
        told.asked("login", 100)
        told.stranger(500)
        told.at(1200)
        told.fault("injected", 2000)
        told.fault("observed", 2050)
        assert told.at(3000).losses == ()
        assert self.lost(told) == [(0, "held_for_dead")]

    def test_how_full_a_node_was_is_known_only_later(self) -> None:
        told = Told()
        limits = Limits(session_cap=10)
        about = ARCHITECTURES["sticky-memory"]
        told.hear(ClusterReady("sticky-memory", -1, about, "processes", ("n1", "n2", "n3"), limits, {}, 1.0))
        told.asked("login", 100)
        told.stranger(500, node="n2")
        told.at(1200)
        assert self.lost(told) == [(0, "unexplained")]
        told.hear(NodeSample("sticky-memory", 1_300_000, {"n1": 3, "n2": 10, "n3": 3}))
        assert [view.cause for view in told.at(1400).losses] == ["memory_cap"]

    def test_an_event_counts_from_its_own_time_on(self, told: Told) -> None:
        told.fault("injected", 1000)
        assert told.at(900).marks == ()
        assert told.at(1000).marks == (FaultMark(0, "kill", "n2", "injected", 1000, "#8a6d00"),)
        assert told.at(1100).marks == ()


class TestNumbers:
    def test_an_unknown_action_is_settled_by_a_later_answer(self, told: Told) -> None:
        told.asked("login", 100)
        told.asked("add", 200, sku="tea", quantity=1, outcome="unknown", status=0, node="", error="timeout")
        told.at(1000)
        assert (told.counts().unknown, told.counts().failed, told.counts().actions) == (1, 0, 2)
        told.asked("cart", 1100, cart={})
        told.at(2000)
        assert (told.counts().unknown, told.counts().failed, told.counts().actions) == (0, 1, 3)

    def test_what_was_not_sent_is_over_and_nothing_else(self, told: Told) -> None:
        told.asked("me", 100, outcome="not_sent", sent_us=-1, done_us=-1, status=0, request="", error="late")
        told.at(1000)
        assert told.counts() == LiveCounts(actions=1, shoppers=2)

    @pytest.mark.parametrize(("made", "failed"), [(True, 0), (False, 1)])
    def test_the_database_settles_a_checkout_at_the_end(self, told: Told, *, made: bool, failed: int) -> None:
        told.asked("login", 100)
        checkout = told.asked("checkout", 300, key="k", outcome="unknown", status=0, node="", error="timeout")
        told.hear(LoadEnded("sticky-memory", 2_000_000, True, 1.0, 3))
        if made:
            order = StoredOrder("sticky-memory", "o-1", "user-0001", checkout.request, {}, "k")
            told.watch.recorded(order, MERGED)
        told.at(3000)
        assert told.counts().unknown == 1
        told.at(3000, over=True)
        assert (told.counts().unknown, told.counts().failed) == (0, failed)

    def test_an_order_that_the_database_does_not_hold_is_lost_at_the_end(self, told: Told) -> None:
        told.asked("login", 100)
        told.asked("checkout", 300, key="k", order="o-1", status=201)
        told.hear(LoadEnded("sticky-memory", 2_000_000, True, 1.0, 2))
        assert told.at(3000).losses == ()
        assert [loss.kind for loss in told.at(3000, over=True).losses] == ["order_lost"]

    def test_of_one_shopper_only_so_many_losses_are_told_and_all_are_counted(self, told: Told) -> None:
        for number in range(MOST_OF_ONE + 5):
            told.asked("login", 100 + 20 * number)
            told.asked("add", 105 + 20 * number, sku="tea", quantity=1, cart={"tea": 1})
            told.asked("cart", 110 + 20 * number, cart={})
        told.at(10_000)
        picture = told.watch.picture()
        assert len(picture.losses) == MOST_OF_ONE
        assert told.counts().carts_lost == MOST_OF_ONE + 5


def test_a_check_that_crashes_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError("no idea")

    source = write_run(tmp_path / "run", seed=4)
    monkeypatch.setattr(LoggedOut, "contradicted", crash)
    growing = GrowingRun(source, tmp_path / "round")
    growing.end()
    live = LivePicture(round_of(tmp_path / "round"))
    live.advance(10**18, over=True)
    live.advance(10**18, over=True)
    live.close()
    assert live.problems == ("the check 'logged_out' crashed: ZeroDivisionError: no idea",)
    assert capsys.readouterr().err.count("the check 'logged_out' crashed: ZeroDivisionError: no idea\n") == 1
    assert live.picture().left.losses


def test_events_that_come_as_late_as_they_may_change_nothing_in_the_end(tmp_path: Path) -> None:
    """Whatever is said of the fault is said three seconds late; the causes are the judge's all the same."""
    name = "sticky-memory"
    run: RunFolder = write_run(tmp_path / "run", seed=4)
    watch = SideWatch(a_side(name), 9)
    events = [event for event in read_events(run.events) if event.architecture == name]
    waiting = [(event.at_us + 3_000_000 * isinstance(event, (FaultEvent, AtRisk)), event) for event in events]
    for record in read_history(run.history):
        if record.architecture == name:
            watch.recorded(record, MERGED)
    causes = set()
    for now_us in range(0, 20_000_000, 100_000):
        for _, event in [each for each in waiting if each[0] <= now_us]:
            watch.hear(event)
        waiting = [each for each in waiting if each[0] > now_us]
        causes |= {view.cause for view in watch.advance(now_us).losses}
    watch.advance(LATER_US, over=True)
    found = sorted((loss.kind, loss.shopper, loss.cause) for loss in watch.picture().losses)
    assert found == sorted((loss.kind, loss.shopper, loss.cause) for loss in judge(run.root).architectures[name].losses)
    assert {"held_for_dead", "node_killed"} <= causes
    assert "held_for_dead" not in {cause for _, _, cause in found}
