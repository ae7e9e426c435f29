"""Did the experiment happen? Every way in which it did not."""

from __future__ import annotations

import msgspec
import pytest

from loadtests.events import FaultEvent, LoadEnded
from loadtests.judging.experiment import at_risk_doubts, at_risk_users, experiment_steps, fault_doubts, load_doubts
from loadtests.judging.scene import Scene
from loadtests.plan import PlannedFault
from loadtests.results import ActionBook
from tests.loadtests.stories import scene

KILL = (PlannedFault("kill", 5000, 8000, "n2"),)


def struck(architecture: str = "sticky-memory", **changed: object) -> Scene:
    """A scene in which the kill went as it should, but for what is changed."""
    at = scene(("n2", 5), architecture=architecture)
    whole = {"healed_us": 8_000_000, "observed_healed_us": 9_000_000, "at_risk": ("user-0001",), **changed}
    return msgspec.structs.replace(at, strikes=(msgspec.structs.replace(at.strikes[0], **whole),))


def doubts(at: Scene, served: int = 20) -> str:
    return "; ".join(fault_doubts(KILL, at, served))


class TestFaultDoubts:
    def test_none(self) -> None:
        assert doubts(struck()) == ""
        assert doubts(struck("redis", at_risk=())) == ""
        assert list(fault_doubts((), scene(), 0)) == []

    @pytest.mark.parametrize(
        ("changed", "words"),
        [
            ({"injected_us": None}, "never injected"),
            ({"observed_us": None}, "nobody observed that it happened"),
            ({"healed_us": None, "observed_healed_us": None}, "never healed"),
            ({"observed_healed_us": None}, "nobody observed that the node came back"),
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
        assert "hit nobody" in doubts(struck("redis", at_risk=()), served=0)
        assert doubts(struck("redis", at_risk=()), served=1) == ""


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
