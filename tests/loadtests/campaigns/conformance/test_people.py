"""What is counted of people, by made-up histories whose truth is known."""

from __future__ import annotations

import lzma
from pathlib import Path

import msgspec
import pytest

from loadtests.campaigns.conformance.people import (
    NEVER,
    Span,
    busiest,
    doubt,
    moved,
    newcomers,
    outages_of,
    special_node,
    stretches,
    there,
)
from loadtests.judging.experiment import HIT_NOBODY, NOT_SEEN_BACK
from loadtests.judging.verdict import NOTHING_PREDICTED
from loadtests.model.events import FaultEvent, FaultPhase, NodeAdded
from loadtests.model.history import Do, Exchange
from loadtests.model.run_folder import RunFolder

OUTPUTS = Path(__file__).parents[3] / "golden" / "outputs"
DOWN = (Span("n2", 1_000, 9_000),)


def asked(at: int, *, node: str = "", status: int = 200, do: Do = "me", request: str = "") -> Exchange:
    return Exchange(
        "sticky-memory", 1, request or f"r{at}", "plan", do, "ok", at, at, at + 100, status=status, node=node
    )


def test_who_is_sent_to_a_dead_node_twice_in_a_row_is_trapped_for_that_long() -> None:
    history = [asked(0, node="n2"), asked(1_000, status=503), asked(4_000, status=0), asked(6_000, node="n1")]
    assert list(stretches(history, {"r1000": "n2", "r4000": "n2"}, DOWN)) == [3_100]


def test_one_error_an_error_of_a_living_node_and_one_that_reached_no_node_trap_nobody() -> None:
    once = [asked(1_000, status=503), asked(2_000, node="n1"), asked(3_000, status=503), asked(4_000, node="n1")]
    assert list(stretches(once, {"r1000": "n2", "r3000": "n2"}, DOWN)) == []
    twice = [asked(1_000, status=503), asked(2_000, status=503)]
    assert list(stretches(twice, {"r1000": "n1", "r2000": "n1"}, DOWN)) == []
    assert list(stretches(twice, {}, DOWN)) == []


def test_who_leaves_a_living_node_was_moved_and_who_leaves_a_dead_one_was_not() -> None:
    assert moved([asked(0, node="n1"), asked(2_000, node="n3")], DOWN)
    assert not moved([asked(0, node="n2"), asked(2_000, node="n3")], DOWN)
    assert not moved([asked(0, node="n1"), asked(2_000, status=503), asked(3_000, node="n1")], DOWN)
    assert moved([asked(9_500, node="n2"), asked(9_900, node="n3")], DOWN)


def test_a_node_is_down_from_the_blow_until_it_was_seen_to_be_back() -> None:
    def step(at_us: int, phase: FaultPhase, kind: str = "kill", victim: str = "n2") -> FaultEvent:
        return FaultEvent("sticky-memory", at_us, 0, kind, victim, phase)

    steps = [step(10, "injected"), step(20, "observed"), step(50, "healed"), step(60, "observed_healed")]
    assert list(outages_of(steps)) == [Span("n2", 10, 60)]
    assert list(outages_of(steps[:2])) == [Span("n2", 10, NEVER)]
    left = [step(10, "injected", "scale-in"), step(60, "observed_healed", "scale-in")]
    assert list(outages_of(left)) == [Span("n2", 10, NEVER)]
    assert list(outages_of([step(10, "injected", "drain")])) == []


def test_newcomers_are_those_who_first_log_in_when_the_new_node_is_there() -> None:
    early = [asked(10, node="n1", do="login"), asked(90, node="n4", do="login")]
    late, nobody = [asked(80, node="n4", do="login")], [asked(80, status=503, do="login")]
    assert list(newcomers([early, late, nobody], Span("n4", 50, NEVER))) == ["n4"]
    assert list(newcomers([early, late, nobody], Span("n4", 50, 70))) == []


def test_a_node_is_special_once_it_was_added_and_seen_or_while_it_is_a_canary() -> None:
    def step(at_us: int, phase: FaultPhase, kind: str, victim: str) -> FaultEvent:
        return FaultEvent("sticky-memory", at_us, 0, kind, victim, phase)

    added = [step(10, "injected", "scale-out", "cluster"), NodeAdded("sticky-memory", 11, 0, "n4")]
    assert special_node(added) is None
    assert special_node([*added, step(30, "observed", "scale-out", "cluster")]) == Span("n4", 30, NEVER)
    canary = [
        step(at, phase, "fewer-newcomers", "n2") for at, phase in ((10, "injected"), (20, "observed"), (50, "healed"))
    ]
    assert special_node(canary) == Span("n2", 20, 50)
    assert special_node([step(10, "observed", "kill", "n2")]) is None


@pytest.mark.parametrize(
    ("reasons", "first"),
    [
        ([NOTHING_PREDICTED], ""),
        ([], ""),
        ([f"the kill of n2 {HIT_NOBODY}: it held nobody", f"the kill of n2 {NOT_SEEN_BACK}"], ""),
        ([NOTHING_PREDICTED, "nobody observed that it happened"], "nobody observed that it happened"),
    ],
)
def test_a_run_proves_something_unless_more_is_wrong_than_that_nothing_was_predicted(
    reasons: list[str], first: str, tmp_path: Path
) -> None:
    results = msgspec.json.decode(lzma.decompress((OUTPUTS / "calm" / "results.json.xz").read_bytes()))
    results["architectures"]["sticky-memory"]["reasons"] = reasons
    (tmp_path / "results.json").write_bytes(msgspec.json.encode(results))
    assert doubt(RunFolder(tmp_path), "sticky-memory") == first


def test_the_busiest_node_is_the_one_that_logged_in_the_most() -> None:
    people = [
        [asked(at, node=node, do="login"), asked(90, node="n3", do="login")]
        for at, node in ((1, "n1"), (2, "n1"), (3, "n2"))
    ]
    assert busiest([*people, [asked(4, status=503, do="login")]]) == 2
    assert busiest([]) == 0


def test_who_was_at_the_node_was_last_answered_there_before_it_was_struck() -> None:
    people = [[asked(1, node="n2"), asked(900, node="n1")], [asked(1, node="n1"), asked(500, node="n2")], []]
    events = [FaultEvent("sticky-memory", 800, 0, "kill", "n2", "injected")]
    assert there(people, events) == 2
    assert there(people, [FaultEvent("sticky-memory", 800, 0, "balancer-restart", "balancer", "injected")]) == 0
