"""Did the experiment happen? Every way in which it did not."""

from __future__ import annotations

import msgspec
import pytest

from compose.applications.contract import Grade
from compose.balancers.access_log import AccessLine
from loadtests.judging.affected_users import AffectedUsers
from loadtests.judging.experiment import (
    at_risk_doubts,
    at_risk_users,
    choice_doubts,
    experiment_steps,
    fault_doubts,
    load_doubts,
)
from loadtests.model.application import ApplicationFacts
from loadtests.model.events import FaultEvent, LoadEnded
from loadtests.model.plan import PlannedFault
from loadtests.model.results import ActionBook
from loadtests.session_model.timeline import RunTimeline, run_timeline
from tests.loadtests.stories import retold, scene

KILL = (PlannedFault("kill", 5000, 8000, "n2"),)


def struck(architecture: str = "sticky-memory", **changed: object) -> RunTimeline:
    """A scene in which the kill went as it should, but for what is changed."""
    at = scene(("n2", 5), architecture=architecture)
    whole = {"healed_us": 8_000_000, "observed_healed_us": 9_000_000, "at_risk": ("user-0001",), **changed}
    return retold(at, **whole)


def hits(at: RunTimeline, asked_at: float = 4.9) -> AffectedUsers:
    """One shopper, who was answered by n2 then."""
    found = AffectedUsers(at)
    found.add(AccessLine(round(asked_at * 1e6), 200, 1000, "a-0001-0001", "GET", "/cart", "", "n2", "n2"))
    return found


def doubts(at: RunTimeline, asked_at: float = 4.9) -> str:
    return "; ".join(fault_doubts(at, hits(at, asked_at)))


class TestFaultDoubts:
    def test_none(self) -> None:
        assert doubts(struck()) == ""
        assert doubts(struck("redis", at_risk=())) == ""
        assert doubts(scene()) == ""

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
        assert "never injected" in doubts(run_timeline("redis", [], KILL))

    def test_where_nodes_hold_nothing_the_victim_must_have_served_somebody(self) -> None:
        assert "the node was asked nothing" in doubts(struck("redis", at_risk=()), asked_at=3.0)
        assert doubts(struck("redis", at_risk=()), asked_at=4.5) == ""

    def test_what_takes_no_memory_must_have_met_somebody_while_it_lasted(self) -> None:
        at = struck(kind="slow", at_risk=None)
        for asked_at, met in ((3.0, False), (4.5, True), (7.0, True), (8.9, True), (9.5, False)):
            assert (doubts(at, asked_at) == "") is met, asked_at
        assert doubts(at, 3.0).startswith("the slow of n2 hit nobody")

    def test_what_strikes_another_part_must_have_met_somebody_while_it_lasted(self) -> None:
        at = struck("redis", kind="store-kill", victim="store", at_risk=None)
        assert doubts(at, 6.0) == ""
        assert doubts(at, 4.5) == "the store-kill hit nobody: no request reached the shop while it lasted"

    def test_what_found_nothing_to_strike_is_no_doubt(self) -> None:
        event = FaultEvent("signed-token", 5_000_000, 0, "store-kill", "store", "nothing_there", ("it has no store",))
        planned = (PlannedFault("store-kill", 5000, 8000, "store"),)
        told, silent = (run_timeline("signed-token", events, planned) for events in ([event], []))
        assert doubts(msgspec.structs.replace(told, epoch_us=0)) == ""
        assert "never injected" in doubts(silent), "silence is no reason"

    @pytest.mark.parametrize(("grade", "doubtful"), [("A", True), ("B", True), ("C", False)])
    def test_of_an_application_whose_logs_nobody_has_nobody_asks_whom_it_reached(
        self, grade: Grade, doubtful: bool
    ) -> None:
        application = ApplicationFacts("shop", grade, "0", ("login",))
        at = msgspec.structs.replace(struck(at_risk=None), application=application)
        assert ("hit nobody" in doubts(at, asked_at=3.0)) is doubtful
        assert doubts(at, asked_at=4.5) == "", "whose sessions it held, nobody could ask"
        at = msgspec.structs.replace(struck(at_risk=()), application=application)
        assert "the node held no session" in doubts(at, asked_at=4.5)
        at = msgspec.structs.replace(struck(at_risk=("user-0001",)), application=application)
        assert doubts(at, asked_at=3.0) == ""

    def test_what_nobody_planned_and_what_was_not_made_here_are_no_doubts(self) -> None:
        assert doubts(struck(planned_us=None, injected_us=None)) == ""
        assert doubts(struck(not_applied="made elsewhere", injected_us=None)) == ""

    def test_what_stays_must_be_seen_to_stay(self) -> None:
        at = struck(kind="scale-out", victim="cluster", at_risk=None)
        assert doubts(at, 9.5) == "", "it is not over when it is healed"
        gone = struck(kind="scale-out", victim="cluster", at_risk=None, observed_healed_us=None)
        assert doubts(gone, 9.5) == "the scale-out stays, and nobody observed that at its end"


class TestLoadDoubts:
    @staticmethod
    def book(not_sent: int) -> ActionBook:
        return ActionBook(1000, 1000 - not_sent, 0, 0, not_sent, 0)

    def test_none(self) -> None:
        assert list(load_doubts(scene(), self.book(20), 20)) == []

    @pytest.mark.parametrize(("cpu", "doubtful"), [(80.0, False), (80.1, True)])
    def test_a_core_that_is_busier_than_that(self, cpu: float, doubtful: bool) -> None:
        at = msgspec.structs.replace(scene(), load_cpu=(cpu, 1.0, 99.0))
        assert bool([*load_doubts(at, self.book(0), 0)]) is doubtful

    def test_without_a_reason_none_is_told(self) -> None:
        at = msgspec.structs.replace(scene(), ended=LoadEnded("redis", 1, False, 1.0, 1))
        assert list(load_doubts(at, self.book(0), 0)) == ["the load did not end cleanly"]
        assert list(load_doubts(msgspec.structs.replace(at, ended=None), self.book(0), 0)) == []

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
        other = msgspec.structs.replace(at.faults[0], fault=1, at_risk=("user-0001", "user-0007"))
        twice = msgspec.structs.replace(at, faults=(*at.faults, other))
        assert at_risk_users(twice) == {"user-0001", "user-0007"}

    def test_two_sources_must_agree(self) -> None:
        assert list(at_risk_doubts({"user-0001"}, {"user-0001"})) == []
        assert list(at_risk_doubts({"user-0001"}, None)) == []
        (words,) = at_risk_doubts({"user-0001", "user-0002"}, {"user-0001"})
        assert "2 shoppers" in words
        assert "user-0002" in words

    def test_the_first_few_are_named(self) -> None:
        for count, named in ((2, "a0, a1"), (3, "a0, a1, a2"), (4, "a0, a1, a2, …")):
            (words,) = at_risk_doubts({f"a{number}" for number in range(count)}, set())
            assert words.endswith(f"they differ on {named}")

    def test_the_same_number_of_others_is_not_agreement(self) -> None:
        assert list(at_risk_doubts({"user-0001"}, {"user-0002"})) != []


def test_steps_begin_with_the_plan_and_follow_in_time() -> None:
    events = tuple(
        FaultEvent("redis", at_us, 0, "kill", "n2", phase, ("seen",))  # type: ignore[arg-type]
        for at_us, phase in ((5_010_000, "injected"), (5_030_000, "observed"), (8_000_000, "healed"))
    )
    steps = experiment_steps(run_timeline("redis", events, KILL))
    assert [(step.step, step.at_ms) for step in steps] == [
        ("planned", 5000.0),
        ("injected", 5010.0),
        ("observed", 5030.0),
        ("healed", 8000.0),
    ]
    assert steps[2].evidence == ("seen",)


class TestWhatPeopleChose:
    def test_all_that_was_foreseen_was_made_everywhere(self) -> None:
        assert list(choice_doubts(["kill"], struck())) == []
        assert list(choice_doubts([], struck())) == []

    def test_nobody_made_it(self) -> None:
        assert list(choice_doubts(["kill", "kill"], scene())) == ["nobody made a kill, which the scenario is about"]

    def spared(self, *others: FaultEvent) -> RunTimeline:
        event = FaultEvent("redis", 5_000_000, 0, "kill", "n2", "spared", ("somebody made it on sticky-memory only",))
        return run_timeline("redis", [event, *others], KILL)

    def test_who_was_spared_was_not_tested(self) -> None:
        at = self.spared()
        assert list(choice_doubts(["kill"], at)) == [
            "the kill was not made here: somebody made it on sticky-memory only"
        ]
        assert doubts(at) == "", "it was planned for the other architecture, and is not missing here"

    def test_who_met_another_one_of_the_kind_was_tested(self) -> None:
        for kind, tested in (("kill", True), ("stop", False)):
            at = self.spared(FaultEvent("redis", 1, 1, kind, "n1", "injected"))
            assert (list(choice_doubts(["kill"], at)) == []) is tested
