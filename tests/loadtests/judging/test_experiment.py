"""Did the experiment happen? Every way in which it did not."""

from __future__ import annotations

import msgspec
import pytest

from compose.balancers.access_log import AccessLine
from loadtests.judging.affected_users import Hits
from loadtests.judging.experiment import (
    at_risk_doubts,
    at_risk_users,
    choice_doubts,
    experiment_steps,
    fault_doubts,
    load_doubts,
)
from loadtests.model.events import FaultEvent, LoadEnded
from loadtests.model.plan import PlannedFault
from loadtests.model.results import ActionBook
from loadtests.session_model.timeline import Scene, scene_of
from tests.loadtests.stories import scene

KILL = (PlannedFault("kill", 5000, 8000, "n2"),)


def struck(architecture: str = "sticky-memory", **changed: object) -> Scene:
    """A scene in which the kill went as it should, but for what is changed."""
    at = scene(("n2", 5), architecture=architecture)
    whole = {"healed_us": 8_000_000, "observed_healed_us": 9_000_000, "at_risk": ("user-0001",), **changed}
    return msgspec.structs.replace(at, strikes=(msgspec.structs.replace(at.strikes[0], **whole),))


def hits(at: Scene, asked_at: float = 4.9) -> Hits:
    """One shopper, who was answered by n2 then."""
    found = Hits(at)
    found.add(AccessLine(round(asked_at * 1e6), "a-0001-0001", "GET", "/cart", 200, "", "n2", "n2", 1000))
    return found


def doubts(at: Scene, asked_at: float = 4.9, planned: tuple[PlannedFault, ...] = KILL) -> str:
    return "; ".join(fault_doubts(planned, at, hits(at, asked_at)))


class TestFaultDoubts:
    def test_none(self) -> None:
        assert doubts(struck()) == ""
        assert doubts(struck("redis", at_risk=())) == ""
        assert doubts(scene(), planned=()) == ""

    @pytest.mark.parametrize(
        ("changed", "words"),
        [
            ({"injected_us": None}, "never injected"),
            ({"observed_us": None}, "nobody observed that it happened"),
            ({"healed_us": None, "observed_healed_us": None}, "never healed"),
            ({"observed_healed_us": None}, "was healed, and nobody observed that it was"),
            ({"at_risk": ()}, "hit nobody"),
            ({"at_risk": None}, "nobody read its sessions"),
        ],
    )
    def test_one(self, changed: dict[str, object], words: str) -> None:
        assert words in doubts(struck(**changed))
        assert doubts(struck(**changed)).startswith("the kill of n2")

    def test_a_fault_of_which_no_event_tells(self) -> None:
        assert "never injected" in doubts(scene())

    def test_where_nodes_hold_nothing_the_victim_must_have_served_somebody(self) -> None:
        assert "the node was asked nothing" in doubts(struck("redis", at_risk=()), asked_at=3.0)
        assert doubts(struck("redis", at_risk=()), asked_at=4.5) == ""

    def test_what_takes_no_memory_must_have_met_somebody_while_it_lasted(self) -> None:
        slow = (PlannedFault("slow", 5000, 8000, "n2"),)
        at = struck(kind="slow", at_risk=None)
        for asked_at, met in ((3.0, False), (4.5, True), (7.0, True), (8.9, True), (9.5, False)):
            assert (doubts(at, asked_at, slow) == "") is met, asked_at
        assert doubts(at, 3.0, slow).startswith("the slow of n2 hit nobody")

    def test_what_strikes_another_part_must_have_met_somebody_while_it_lasted(self) -> None:
        killed = (PlannedFault("store-kill", 5000, 8000, "store"),)
        at = struck("redis", kind="store-kill", victim="store", at_risk=None)
        assert doubts(at, 6.0, killed) == ""
        assert doubts(at, 4.5, killed) == "the store-kill hit nobody: no request reached the shop while it lasted"

    def test_what_found_nothing_to_strike_is_no_doubt(self) -> None:
        event = FaultEvent("signed-token", 5_000_000, 0, "store-kill", "store", "nothing_there", ("it has no store",))
        at = msgspec.structs.replace(scene_of("signed-token", [event]), epoch_us=0)
        planned = (PlannedFault("store-kill", 5000, 8000, "store"),)
        assert doubts(at, planned=planned) == ""
        assert "never injected" in doubts(scene(), planned=planned), "silence is no reason"

    def test_what_stays_must_be_seen_to_stay(self) -> None:
        planned = (PlannedFault("scale-out", 5000, 8000, "cluster"),)
        at = struck(kind="scale-out", victim="cluster", at_risk=None)
        assert doubts(at, 9.5, planned) == "", "it is not over when it is healed"
        gone = struck(kind="scale-out", victim="cluster", at_risk=None, observed_healed_us=None)
        assert doubts(gone, 9.5, planned) == "the scale-out stays, and nobody observed that at its end"


class TestLoadDoubts:
    @staticmethod
    def book(not_sent: int) -> ActionBook:
        return ActionBook(1000, 1000 - not_sent, 0, 0, not_sent, 0)

    def test_none(self) -> None:
        assert list(load_doubts(scene(), self.book(20), 20)) == []

    def test_too_many_were_late(self) -> None:
        (words,) = load_doubts(scene(), self.book(21), 21)
        assert words.startswith("21 of 1000 planned actions (2.1 %)")

    def test_those_whom_the_shop_kept_out_were_not_late(self) -> None:
        assert list(load_doubts(scene(), self.book(500), 0)) == []

    def test_not_clean(self) -> None:
        at = msgspec.structs.replace(scene(), ended=LoadEnded("redis", 1, False, 1.0, 1, "it died"))
        assert list(load_doubts(at, self.book(0), 0)) == ["the load did not end cleanly: it died"]

    def test_a_busy_load_generator(self) -> None:
        at = msgspec.structs.replace(scene(), load_cpu=(10.0, 81.0, 99.0))
        (words,) = load_doubts(at, self.book(0), 0)
        assert "81 %" in words
        assert list(load_doubts(msgspec.structs.replace(scene(), load_cpu=(10.0, 79.0, 99.0)), self.book(0), 0)) == []


class TestAtRisk:
    def test_the_union_over_faults(self) -> None:
        at = struck()
        twice = msgspec.structs.replace(
            at,
            strikes=(*at.strikes, msgspec.structs.replace(at.strikes[0], fault=1, at_risk=("user-0001", "user-0007"))),
        )
        assert at_risk_users(twice) == {"user-0001", "user-0007"}

    def test_two_sources_must_agree(self) -> None:
        assert list(at_risk_doubts({"user-0001"}, {"user-0001"})) == []
        assert list(at_risk_doubts({"user-0001"}, None)) == []
        (words,) = at_risk_doubts({"user-0001", "user-0002"}, {"user-0001"})
        assert "2 shoppers" in words
        assert "user-0002" in words

    def test_the_same_number_of_others_is_not_agreement(self) -> None:
        assert list(at_risk_doubts({"user-0001"}, {"user-0002"})) != []


def test_steps_begin_with_the_plan_and_follow_in_time() -> None:
    events = tuple(
        FaultEvent("redis", at_us, 0, "kill", "n2", phase, ("seen",))  # type: ignore[arg-type]
        for at_us, phase in ((5_010_000, "injected"), (5_030_000, "observed"), (8_000_000, "healed"))
    )
    steps = experiment_steps(KILL, msgspec.structs.replace(scene(), fault_events=events))
    assert [(step.step, step.at_ms) for step in steps] == [
        ("planned", 5000.0),
        ("injected", 5010.0),
        ("observed", 5030.0),
        ("healed", 8000.0),
    ]
    assert steps[2].evidence == ("seen",)


class TestWhatPeopleChose:
    def test_all_that_was_foreseen_was_made_everywhere(self) -> None:
        assert list(choice_doubts(["kill"], KILL, struck())) == []
        assert list(choice_doubts([], KILL, struck())) == []

    def test_nobody_made_it(self) -> None:
        assert list(choice_doubts(["kill", "kill"], (), scene())) == ["nobody made a kill, which the scenario is about"]

    def spared(self, *others: FaultEvent) -> Scene:
        event = FaultEvent("redis", 5_000_000, 0, "kill", "n2", "spared", ("somebody made it on sticky-memory only",))
        return scene_of("redis", [event, *others])

    def test_who_was_spared_was_not_tested(self) -> None:
        at = self.spared()
        assert list(choice_doubts(["kill"], KILL, at)) == [
            "the kill was not made here: somebody made it on sticky-memory only"
        ]
        assert doubts(at) == "", "it was planned for the other architecture, and is not missing here"

    def test_who_met_another_one_of_the_kind_was_tested(self) -> None:
        both = (*KILL, PlannedFault("kill", 9000, 12_000, "n1"))
        for kind, tested in (("kill", True), ("stop", False)):
            at = self.spared(FaultEvent("redis", 1, 1, kind, "n1", "injected"))
            assert (list(choice_doubts(["kill"], both, at)) == []) is tested
