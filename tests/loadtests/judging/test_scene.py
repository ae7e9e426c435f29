"""The scene, from the events."""

from __future__ import annotations

from compose.architectures import ARCHITECTURES
from compose.cluster import Limits
from loadtests.events import (
    AtRisk,
    ClusterReady,
    Event,
    FaultEvent,
    FaultPhase,
    LoadEnded,
    LoadSample,
    LoadStarted,
    RunInterrupted,
)
from loadtests.judging.scene import scene_of

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
