"""Faults that somebody makes: what is struck, what is refused and why, and what stands in the plan afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from compose.architectures import ARCHITECTURES
from loadtests.model.events import AtRisk, EventLog, FaultEvent, read_events
from loadtests.running.fault_run import FaultBounds, FaultRun
from loadtests.workshop.contract import SIDES, Break, CommandReply, Heal, LiveFault, SideName
from loadtests.workshop.live_faults import LiveFaults
from loadtests.workshop.live_side import LiveSide, Signals
from shared.sessions import HeldSession
from tests.loadtests.scripted_cluster import ScriptedCluster
from tests.loadtests.workshop.rounds import answered
from tests.waiting import until

GUEST = "user-0007"
HELD = {"n2": [HeldSession("aa", "user-0002"), HeldSession("bb", GUEST)]}
BOTH: tuple[SideName, SideName] = SIDES
KINDS = ("kill", "freeze", "store-kill", "scale-out")
END_MS = 60_000


class Room:
    """Two sides without clusters, and the faults that are made there."""

    def __init__(self, folder: Path) -> None:
        self.signals = Signals()
        zero_ns = self.signals.start().zero_ns
        self.clusters: dict[SideName, ScriptedCluster] = {}
        self.runs: list[FaultRun] = []
        self.paths = {side: folder / f"{side}.ndjson" for side in SIDES}
        self.changes = 0
        sides: dict[SideName, LiveSide] = {}
        for side, name in (("left", "sticky-memory"), ("right", "redis")):
            log = EventLog(self.paths[side])
            log.set_zero(zero_ns)
            cluster = self.clusters[side] = ScriptedCluster(folder, dict(HELD), architecture=name)
            sides[side] = cast(
                "LiveSide",
                SimpleNamespace(
                    architecture=ARCHITECTURES[name], cluster=cluster, events=log, guests=(GUEST,),
                    add_fault=self.runs.append,
                ),
            )  # fmt: skip
        bounds = FaultBounds(observed_s=1.0, healed_s=1.0)
        self.faults = LiveFaults(sides, KINDS, self.signals, bounds, self.changed)

    def changed(self) -> None:
        self.changes += 1

    def make(self, kind: str, victim: str = "", sides: tuple[SideName, ...] = BOTH) -> CommandReply:
        return answered(lambda: self.faults.make(Break(kind, sides, victim)))

    def heal(self, fault: int | None = None) -> CommandReply:
        return answered(lambda: self.faults.heal(Heal(fault)))

    def steps(self, side: SideName) -> list[tuple[int, str, str]]:
        events = read_events(self.paths[side]) if self.paths[side].exists() else ()
        return [(each.fault, each.victim, each.phase) for each in events if isinstance(each, FaultEvent)]

    def seen(self, side: SideName, phase: str) -> bool:
        return until(lambda: phase in [step for _, _, step in self.steps(side)])

    def end(self) -> None:
        for run in self.runs:
            run.abandon()
            run.join(30)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path)
    yield room
    room.end()


def test_broken_at_once_and_healed_when_told(room: Room) -> None:
    assert room.make("kill", "n2").ok
    assert room.seen("left", "observed")
    assert room.seen("right", "observed")
    assert room.faults.broken() == (LiveFault(0, BOTH, "kill", "n2"),)
    assert not room.clusters["left"].there["n2"].alive
    assert room.heal(0).ok
    assert until(lambda: room.faults.broken() == ())
    whole = [(0, "n2", step) for step in ("injected", "observed", "healed", "observed_healed")]
    assert room.steps("left") == room.steps("right") == whole
    assert room.changes >= 4, "made, told to heal, and over on each side"


def test_guests_are_not_at_risk(room: Room) -> None:
    room.make("kill", "n2", ("left",))
    assert room.seen("left", "observed")
    assert until(lambda: any(isinstance(event, AtRisk) for event in read_events(room.paths["left"])))
    (at_risk,) = [event for event in read_events(room.paths["left"]) if isinstance(event, AtRisk)]
    assert at_risk.users == ("user-0002",)
    assert "without 1 guest" in at_risk.source


def test_without_a_victim_the_lowest_node_that_is_up_on_all_sides(room: Room) -> None:
    room.make("kill", "n1", ("left",))
    room.make("kill", "n2", ("right",))
    assert room.make("kill").ok
    assert [fault.victim for fault in room.faults.broken()] == ["n1", "n2", "n3"]
    assert room.make("kill") == CommandReply(False, "every node there is broken already", "heal one first")
    assert room.make("kill", sides=("right",)).ok, "n1 is up there"


def test_one_side_is_spared_and_its_events_say_so(room: Room) -> None:
    room.make("kill", "n1", ("left",))
    assert room.steps("right") == [(0, "n1", "spared")]
    (event,) = read_events(room.paths["right"])
    assert isinstance(event, FaultEvent)
    assert event.evidence == ("somebody made it on sticky-memory only",)
    assert room.faults.broken()[0].sides == ("left",)
    assert room.clusters["right"].there["n1"].alive


def test_a_side_without_such_a_part_was_not_spared(room: Room) -> None:
    assert room.make("store-kill", sides=("right",)).ok
    assert room.steps("left") == [(0, "store", "nothing_there")]
    assert room.make("store-kill", sides=("left",)) == CommandReply(
        False, "sticky-memory has no store", "choose something that is there"
    )


def test_on_both_sides_though_one_has_no_such_part(room: Room) -> None:
    assert room.make("store-kill").ok
    assert room.seen("right", "observed")
    assert room.seen("left", "nothing_there")
    assert until(lambda: room.faults.broken() == (LiveFault(0, ("right",), "store-kill", "store"),))


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (Break("drain", BOTH), "this round has no button 'drain'"),
        (Break("earthquake", BOTH), "this round has no button 'earthquake'"),
        (Break("kill", ()), "on one side or on both"),
        (Break("kill", ("left", "left")), "on one side or on both"),
        (Break("kill", BOTH, "n9"), "a kill strikes a node, not 'n9'"),
        (Break("kill", BOTH, "store"), "a kill strikes a node, not 'store'"),
        (Break("store-kill", BOTH, "n1"), "a store-kill strikes the store, not 'n1'"),
    ],
)
def test_what_cannot_be_made(room: Room, command: Break, why: str) -> None:
    reply = answered(lambda: room.faults.make(command))
    assert not reply.ok
    assert why in reply.why
    assert room.faults.broken() == ()
    assert room.steps("left") == room.steps("right") == []


def test_what_is_held_already_is_not_struck_again(room: Room) -> None:
    room.make("kill", "n2", ("left",))
    said = CommandReply(False, "on the left there is a fault at n2 already: kill", "mend that first")
    assert room.make("freeze", "n2") == said
    assert room.make("freeze", "n2", ("right",)).ok


def test_what_stays_can_be_made_again(room: Room) -> None:
    assert room.make("scale-out").ok
    assert until(lambda: room.signals.elapsed_ms() > room.faults.as_they_went(END_MS)[0].at_ms)
    assert room.make("scale-out").ok


def test_one_of_several_is_healed_by_its_number(room: Room) -> None:
    room.make("kill", "n1")
    room.make("kill", "n2")
    assert room.heal(1).ok
    assert until(lambda: [fault.fault for fault in room.faults.broken()] == [0])
    assert room.heal(1) == CommandReply(False, "no fault 1 is there to be healed", "name another; there is 0")
    assert room.heal().ok
    assert until(lambda: not room.faults.broken())
    assert room.heal() == CommandReply(False, "nothing is broken")


def test_healed_in_vain_it_may_be_healed_again(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    left = room.clusters["left"]
    start = left.start
    monkeypatch.setattr(left, "start", lambda part: None)
    room.make("kill", "n1", ("left",))
    room.heal(0)
    assert room.faults.broken()[0].healing
    assert room.seen("left", "not_healed")
    assert until(lambda: room.faults.broken() == (LiveFault(0, ("left",), "kill", "n1"),)), "no longer being healed"
    monkeypatch.setattr(left, "start", start)
    room.heal(0)
    assert room.seen("left", "observed_healed")
    assert until(lambda: not room.faults.broken())


def test_in_the_plan_they_stand_as_they_went(room: Room) -> None:
    room.make("kill", "n2")
    room.heal(0)
    assert until(lambda: not room.faults.broken())
    room.make("store-kill", sides=("right",))
    first, second = room.faults.as_they_went(END_MS)
    assert (first.kind, first.victim, second.kind, second.victim) == ("kill", "n2", "store-kill", "store")
    assert first.at_ms < first.heal_at_ms <= second.at_ms + 1
    assert second.heal_at_ms == END_MS, "nobody healed it: the end of the window does"


def test_mending_heals_all_and_waits_until_that_was_seen(room: Room) -> None:
    room.make("kill", "n1")
    room.make("store-kill", sides=("right",))
    room.faults.mend()
    assert room.faults.broken() == ()
    assert room.clusters["right"].there["store"].alive


def test_mending_gives_up_within_its_bounds(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room.clusters["left"], "start", lambda part: None)
    room.make("kill", "n1", ("left",))
    began = time.monotonic()
    room.faults.mend()
    assert time.monotonic() - began < 20.0
    assert until(lambda: not room.faults.broken()), "its thread has ended"
    assert room.steps("left")[-1] == (0, "n1", "not_healed")
