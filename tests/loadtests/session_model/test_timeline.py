"""The scene, from the events."""

from __future__ import annotations

import msgspec

from compose.architectures import ARCHITECTURES
from compose.cluster import Limits
from loadtests.model.events import (
    AtRisk,
    ClusterReady,
    Event,
    FaultEvent,
    FaultPhase,
    LoadEnded,
    LoadSample,
    LoadStarted,
    NodeAdded,
    NodeSample,
    RunInterrupted,
)
from loadtests.session_model.timeline import Scene, scene_of

NAME = "redis"


def step(phase: FaultPhase, at_us: int, fault: int = 0, node: str = "n2") -> Event:
    return FaultEvent(NAME, at_us, fault, "kill", node, phase, (phase,))


READY = ClusterReady(NAME, -5, ARCHITECTURES[NAME], "processes", ("n1", "n2"), Limits(), {}, 1.0)
ENDED = LoadEnded(NAME, 12, True, 1.0, 9)


def test_everything_in_its_place() -> None:
    found = scene_of(
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
    (strike,) = found.strikes
    assert (found.store, found.affinity, found.nodes, found.epoch_us) == ("redis", "round-robin", ("n1", "n2"), 77)
    assert (strike.injected_us, strike.observed_us, strike.healed_us, strike.observed_healed_us) == (1, 2, 4, 5)
    assert (strike.at_risk, strike.evidence) == (("user-0001",), ("observed",))
    assert (found.finished, found.first_injected_us, found.load_cpu) == (True, 1, (12.5,))


def test_not_finished() -> None:
    assert not scene_of(NAME, [READY]).finished
    assert not scene_of(NAME, [READY, ENDED, RunInterrupted(NAME, 13, "Ctrl-C")]).finished
    assert scene_of(NAME, [RunInterrupted(NAME, 13, "Ctrl-C")]).interrupted == "Ctrl-C"


def test_only_an_observed_blow_struck() -> None:
    found = scene_of(NAME, [step("injected", 10), step("not_observed", 20)])
    assert found.struck("n2", 0, 99) is None
    found = scene_of(NAME, [step("injected", 10), step("observed", 20)])
    assert found.struck("n2", 0, 99) is not None
    assert found.struck("n1", 0, 99) is None
    assert found.struck("n2", 11, 99) is not None, "the mark is made before the blow: it may have answered after it"
    assert found.struck("n2", 21, 99) is None
    assert found.struck("n2", 0, 9) is None


def test_the_last_of_several_blows() -> None:
    found = scene_of(
        NAME, [step("injected", 10), step("observed", 11), step("injected", 20, 1), step("observed", 21, 1)]
    )
    strike = found.struck("n2", 0, 99)
    assert strike is not None
    assert strike.fault == 1


def test_a_node_that_was_added_answers_too() -> None:
    found = scene_of(NAME, [READY, NodeAdded(NAME, 5, 0, "n3")])
    assert (found.nodes, found.added, found.all_nodes) == (("n1", "n2"), ("n3",), ("n1", "n2", "n3"))


def test_the_most_that_a_node_was_seen_to_hold() -> None:
    samples = [NodeSample(NAME, at_us, {"n1": held, "n2": -1}) for at_us, held in enumerate((2, 7, 5))]
    assert scene_of(NAME, [READY, *samples]).fullest == {"n1": 7, "n2": 0}


def test_nothing_there() -> None:
    event = FaultEvent(NAME, 1, 0, "replica-cut", "replica", "nothing_there", ("redis has no replica",))
    (strike,) = scene_of(NAME, [READY, event]).strikes
    assert (strike.nothing_there, strike.injected_us) == ("redis has no replica", None)


def kind_of(kind: str, *phases: tuple[FaultPhase, int]) -> Scene:
    return scene_of(NAME, [FaultEvent(NAME, at_us, 0, kind, "n2", phase) for phase, at_us in phases])


ALL: tuple[tuple[FaultPhase, int], ...] = (
    ("injected", 10), ("observed", 20), ("healed", 50), ("observed_healed", 60),
)  # fmt: skip


def test_only_what_takes_memory_struck_it() -> None:
    assert kind_of("stop", *ALL).struck("n2", 0, 99) is not None
    assert kind_of("freeze", *ALL).struck("n2", 0, 99) is None


def test_a_deploy_takes_memory_when_it_is_healed() -> None:
    events = [FaultEvent(NAME, at_us, 0, "deploy", "n2", phase) for phase, at_us in ALL]
    found = scene_of(NAME, [*events[:3], AtRisk(NAME, 55, 0, "n2", ("user-0001",), "asked"), events[3]])
    assert found.struck("n2", 30, 49) is None
    assert found.struck("n2", 30, 51) is not None
    assert found.struck("n2", 56, 99) is None


def test_what_was_there_and_when() -> None:
    found = kind_of("freeze", *ALL)
    assert found.holding(("freeze",), 0, 9) is None
    assert found.holding(("freeze",), 15, 16) is not None
    assert found.holding(("freeze",), 15, 16, "n1") is None
    assert found.holding(("slow",), 15, 16) is None
    assert found.holding(("freeze",), 61, 99) is None
    assert kind_of("freeze", *ALL[:1]).holding(("freeze",), 15, 16) is None, "nobody observed it"
    assert kind_of("scale-in", *ALL).holding(("scale-in",), 61, 99) is not None, "it stays"


def test_what_the_balancer_did() -> None:
    assert not kind_of("kill", *ALL).retries
    assert kind_of("balancer-retries", *ALL).retries
    assert scene_of(NAME, [msgspec.structs.replace(READY, limits=Limits(balancer_retries=1))]).retries
    restarted = FaultEvent(NAME, 1, 0, "balancer-restart", "balancer", "injected")
    assert scene_of(NAME, [READY, restarted]).balancer_fell
    assert not kind_of("kill", *ALL).balancer_fell
