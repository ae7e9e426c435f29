"""The scene, from the events."""

from __future__ import annotations

import msgspec
import pytest

from compose.architectures import ARCHITECTURES
from compose.cluster import Limits
from loadtests.model.events import (
    AtRisk,
    ClusterReady,
    Event,
    FaultEvent,
    FaultPhase,
    GuestsAdmitted,
    LoadEnded,
    LoadSample,
    LoadStarted,
    NodeAdded,
    NodeSample,
    RunInterrupted,
)
from loadtests.model.fault_timeline import NEVER_US
from loadtests.model.history import Do
from loadtests.model.plan import PlannedFault
from loadtests.session_model.timeline import RunTimeline, run_timeline
from tests.loadtests.stories import Story

NAME = "redis"


def step(phase: FaultPhase, at_us: int, fault: int = 0, node: str = "n2") -> Event:
    return FaultEvent(NAME, at_us, fault, "kill", node, phase, (phase,))


READY = ClusterReady(NAME, -5, ARCHITECTURES[NAME], "processes", ("n1", "n2"), Limits(), {}, 1.0)
ENDED = LoadEnded(NAME, 12, True, 1.0, 9)


def test_everything_in_its_place() -> None:
    found = run_timeline(
        NAME,
        [
            READY,
            LoadStarted(NAME, 0, 77, 1),
            step("injected", 1),
            step("observed", 2),
            AtRisk(NAME, 3, 0, "n2", ("user-0001",), "asked"),
            LoadSample(NAME, 3, 0, 12.5),
            step("healed", 4),
            step("observed_healed", 5),
            ENDED,
        ],
    )
    (fault,) = found.faults
    assert (found.store, found.affinity, found.nodes, found.epoch_us) == ("redis", "round-robin", ("n1", "n2"), 77)
    assert (fault.injected_us, fault.observed_us, fault.healed_us, fault.observed_healed_us) == (1, 2, 4, 5)
    assert (fault.at_risk, fault.evidence) == (("user-0001",), ("observed",))
    assert (found.finished, found.first_injected_us, found.load_cpu) == (True, 1, (12.5,))


def test_not_finished() -> None:
    assert not run_timeline(NAME, [READY]).finished
    assert not run_timeline(NAME, [READY, ENDED, RunInterrupted(NAME, 13, "Ctrl-C")]).finished
    assert run_timeline(NAME, [RunInterrupted(NAME, 13, "Ctrl-C")]).interrupted == "Ctrl-C"


def test_only_what_was_observed_took_memory() -> None:
    (fault,) = run_timeline(NAME, [step("injected", 10), step("not_observed", 20)]).faults
    assert (fault.takes_memory, fault.takes_effect_us) == (True, None)
    (fault,) = run_timeline(NAME, [step("injected", 10), step("observed", 20)]).faults
    assert fault.takes_memory
    assert fault.takes_effect_us == (10, 20), "the mark is made before it is done: it may have answered after it"


def test_a_node_that_was_added_answers_too() -> None:
    found = run_timeline(NAME, [READY, NodeAdded(NAME, 5, 0, "n3")])
    assert (found.nodes, found.added, found.all_nodes) == (("n1", "n2"), ("n3",), ("n1", "n2", "n3"))


def test_the_most_that_a_node_was_seen_to_hold() -> None:
    samples = [NodeSample(NAME, at_us, {"n1": held, "n2": -1}) for at_us, held in enumerate((2, 7, 5))]
    assert run_timeline(NAME, [READY, *samples]).fullest == {"n1": 7, "n2": 0}


def test_nothing_there() -> None:
    event = FaultEvent(NAME, 1, 0, "replica-cut", "replica", "nothing_there", ("redis has no replica",))
    (fault,) = run_timeline(NAME, [READY, event]).faults
    assert (fault.nothing_there, fault.injected_us) == ("redis has no replica", None)


def kind_of(kind: str, *phases: tuple[FaultPhase, int]) -> RunTimeline:
    return run_timeline(NAME, [FaultEvent(NAME, at_us, 0, kind, "n2", phase) for phase, at_us in phases])


ALL: tuple[tuple[FaultPhase, int], ...] = (
    ("injected", 10), ("observed", 20), ("healed", 50), ("observed_healed", 60),
)  # fmt: skip


def test_only_what_takes_memory_affects_whom_it_held() -> None:
    assert kind_of("stop", *ALL).faults[0].takes_memory
    assert not kind_of("freeze", *ALL).faults[0].takes_memory, "it keeps its memory"


def test_a_deploy_takes_memory_when_it_is_healed() -> None:
    events = [FaultEvent(NAME, at_us, 0, "deploy", "n2", phase) for phase, at_us in ALL]
    found = run_timeline(NAME, [*events[:3], AtRisk(NAME, 55, 0, "n2", ("user-0001",), "asked"), events[3]])
    assert found.faults[0].takes_memory
    assert found.faults[0].takes_effect_us == (50, 55)


def test_when_it_takes_effect() -> None:
    (frozen,) = kind_of("freeze", *ALL).faults
    assert (frozen.start_us, frozen.over_us) == (10, 60)
    assert frozen.takes_effect_us == (10, 20)
    (unseen,) = kind_of("freeze", *ALL[:1]).faults
    assert unseen.takes_effect_us is None, "nobody observed it"
    (gone,) = kind_of("scale-in", *ALL).faults
    assert gone.over_us == NEVER_US, "it stays"


def test_what_was_planned_stands_beside_what_happened() -> None:
    planned = (PlannedFault("kill", 1, 9, "n2"), PlannedFault("store-kill", 2, 9, "store"))
    first, second = run_timeline(NAME, [READY, step("injected", 1100)], planned).faults
    assert (first.planned_us, first.planned_heal_us, first.injected_us, first.takes_memory) == (1000, 9000, 1100, True)
    assert (second.kind, second.strikes, second.planned_us, second.injected_us) == ("store-kill", "store", 2000, None)


def test_faults_stand_by_number_and_the_first_is_the_first_in_time() -> None:
    planned = [PlannedFault("kill", 30, 40, "n2"), PlannedFault("kill", 10, 20, "n1")]
    found = run_timeline(NAME, [step("injected", 9, 2), step("injected", 7, 1, "n1"), step("injected", 8, 0)], planned)
    assert [fault.fault for fault in found.faults] == [0, 1, 2]
    assert [(fault.planned_us, fault.planned_heal_us) for fault in found.faults] == [
        (30_000, 40_000), (10_000, 20_000), (None, None),
    ]  # fmt: skip
    assert found.first_injected_us == 7
    assert run_timeline(NAME, [], planned).first_injected_us is None
    assert [event.at_us for event in found.fault_events] == [9, 7, 8]


def test_a_victim_may_be_asked_before_anything_else_is_told_of_its_fault() -> None:
    asked = AtRisk(NAME, 3, 1, "n2", ("user-0001",), "asked")
    found = run_timeline(NAME, [asked, step("injected", 4, 1)])
    (fault,) = found.faults
    assert (fault.fault, fault.kind, fault.victim, fault.at_risk) == (1, "kill", "n2", ("user-0001",))
    assert (fault.at_risk_us, fault.at_risk_source, fault.injected_us) == (3, "asked", 4)


def test_whoever_came_as_a_guest() -> None:
    found = run_timeline(NAME, [READY, GuestsAdmitted(NAME, 1, ("user-0061",), "a-")])
    assert (found.guests, found.run) == (("user-0061",), "a-")
    assert [found.is_guests(request) for request in ("a-0001-1", "b-0001-1", "")] == [False, True, True]
    assert not run_timeline(NAME, [READY]).is_guests("b-0001-1")


def test_what_faults_told_the_balancer() -> None:
    calm = run_timeline(NAME, [READY, step("injected", 1)])
    assert (calm.told_to_balance, calm.retries, calm.balancer_fell) == ((), False, False)
    for kind, retries in (("balancer-retries", True), ("no-affinity", False)):
        told = run_timeline(NAME, [READY, FaultEvent(NAME, 1, 0, kind, "cluster", "injected")])
        assert (len(told.told_to_balance), told.retries) == (1, retries), kind
        unmade = run_timeline(NAME, [READY, FaultEvent(NAME, 1, 0, kind, "cluster", "not_observed")])
        assert (unmade.told_to_balance, unmade.retries) == ((), False)
    always = msgspec.structs.replace(READY, limits=Limits(balancer_retries=1))
    assert run_timeline(NAME, [always]).retries
    for phase, fell in (("injected", True), ("not_observed", False)):
        event = FaultEvent(NAME, 1, 0, "balancer-restart", "balancer", phase)  # type: ignore[arg-type]
        assert run_timeline(NAME, [READY, event]).balancer_fell is fell


class TestWritesThatMayHaveBeenRepeated:
    """A client sees the last answer: what a node that was asked before had done, a refusal does not tell."""

    always = run_timeline(NAME, [msgspec.structs.replace(READY, limits=Limits(balancer_retries=1))])
    from_now_on = run_timeline(NAME, [READY, FaultEvent(NAME, 1_000_000, 0, "balancer-retries", "cluster", "injected")])

    @pytest.mark.parametrize("do", ["login", "add", "remove", "checkout", "logout"])
    @pytest.mark.parametrize("status", [400, 401, 404, 429])
    def test_a_refused_write_is_unknown(self, do: Do, status: int) -> None:
        asked = Story().say(do, status).last
        assert self.always.as_judged(asked) == msgspec.structs.replace(asked, outcome="unknown")

    def test_and_nothing_else_is(self) -> None:
        story = Story().login().cart({}).stranger("cart").add("tea", status=503).say("add", 0, error="timeout")
        never_sent = msgspec.structs.replace(story.last, outcome="failed", error="refused")
        for asked in (*story.exchanges, never_sent):
            assert self.always.as_judged(asked) is asked

    def test_only_where_and_since_the_balancer_repeats(self) -> None:
        early, late = (Story().at(seconds).checkout(status=401).last for seconds in (0.98, 0.995))
        assert [self.from_now_on.as_judged(each).outcome for each in (early, late)] == ["failed", "unknown"]
        assert run_timeline(NAME, [READY]).as_judged(late) is late
