"""What boxes show while faults come and go."""

from __future__ import annotations

import pytest

from loadtests.model.events import Event, FaultEvent, FaultPhase, NodeAdded, NodeSample
from loadtests.workshop.contract import NodeView, PartView
from loadtests.workshop.live.live_replay import LiveTimeline
from loadtests.workshop.live.states import NodeStates

NODES = ("n1", "n2", "n3")


class Boxes(NodeStates):
    """Told of one event after the other, with the scene that they make."""

    def __init__(self) -> None:
        super().__init__(NODES, ("balancer", "store", "database"))
        self._live = LiveTimeline("redis")

    def told(self, event: Event) -> None:
        self._live.hear(event)
        self.hear(event, self._live.scene)


@pytest.fixture
def boxes() -> Boxes:
    made = Boxes()
    made.told(sample(n1=20, n2=20, n3=20))
    return made


def sample(**sessions: int) -> NodeSample:
    return NodeSample("redis", 0, sessions)


def step(phase: FaultPhase, kind: str = "kill", victim: str = "n2", fault: int = 0) -> FaultEvent:
    return FaultEvent("redis", 0, fault, kind, victim, phase, ("seen",))


def n2(boxes: Boxes) -> tuple[str, int, str]:
    view = boxes.nodes()[1]
    return view.state, view.sessions, view.fault


def test_nodes_say_how_many_sessions_they_hold(boxes: Boxes) -> None:
    assert boxes.nodes() == tuple(NodeView(name, "up", 20) for name in NODES)


def test_a_killed_node_is_dead_from_being_seen_until_it_answers_and_up_when_seen_to_be_healed(
    boxes: Boxes,
) -> None:
    boxes.told(step("injected"))
    assert n2(boxes) == ("broken", 20, "kill")
    boxes.told(step("observed"))
    assert n2(boxes) == ("dead", -1, "kill")
    boxes.told(sample(n1=20, n2=-1, n3=20))
    boxes.told(step("healed"))
    assert n2(boxes) == ("dead", -1, "kill")
    boxes.told(sample(n1=20, n2=0, n3=20))
    assert n2(boxes) == ("broken", 0, "kill")
    boxes.told(step("observed_healed"))
    assert n2(boxes) == ("up", 0, "")


@pytest.mark.parametrize(
    ("kind", "state"), [("freeze", "frozen"), ("stop", "dead"), ("slow", "broken"), ("store-cut", "broken")]
)
def test_each_kind_has_its_state(boxes: Boxes, kind: str, state: str) -> None:
    boxes.told(step("injected", kind))
    boxes.told(step("observed", kind))
    assert n2(boxes)[0] == state
    assert n2(boxes)[2] == kind
    boxes.told(step("healed", kind))
    boxes.told(step("not_healed", kind))
    assert n2(boxes)[2] == kind
    boxes.told(step("observed_healed", kind))
    assert n2(boxes)[0] == "up"


def test_what_was_not_seen_holds_nothing(boxes: Boxes) -> None:
    boxes.told(step("injected"))
    boxes.told(step("not_observed"))
    assert n2(boxes) == ("up", 20, "")


def test_a_node_that_was_removed_stays_dead(boxes: Boxes) -> None:
    for phase in ("injected", "observed", "healed", "observed_healed"):
        boxes.told(step(phase, "scale-in"))
        boxes.told(sample(n1=30, n3=30))
    assert n2(boxes) == ("dead", -1, "scale-in")


def test_a_node_that_is_silent_twice_is_dead_without_a_fault(boxes: Boxes) -> None:
    boxes.told(sample(n1=20, n2=-1, n3=20))
    assert n2(boxes) == ("up", -1, "")
    boxes.told(sample(n1=20, n2=-1, n3=20))
    assert n2(boxes) == ("dead", -1, "")
    boxes.told(sample(n1=20, n2=3, n3=20))
    assert n2(boxes) == ("up", 3, "")


def test_an_added_node_has_a_box(boxes: Boxes) -> None:
    boxes.told(NodeAdded("redis", 0, 1, "n4"))
    assert boxes.nodes()[3] == NodeView("n4", "up", -1)


def test_of_two_faults_the_later_one_shows_and_then_the_first_again(boxes: Boxes) -> None:
    boxes.told(step("injected", "slow", fault=0))
    boxes.told(step("observed", "slow", fault=0))
    boxes.told(step("injected", "freeze", fault=1))
    boxes.told(step("observed", "freeze", fault=1))
    assert n2(boxes)[0] == "frozen"
    boxes.told(step("observed_healed", "freeze", fault=1))
    assert n2(boxes) == ("broken", 20, "slow")


def test_parts_are_broken_while_a_fault_holds_them(boxes: Boxes) -> None:
    boxes.told(step("injected", "store-kill", "store", 0))
    boxes.told(step("injected", "no-affinity", "cluster", 1))
    broken = (PartView("balancer", "broken", "no-affinity"), PartView("store", "broken", "store-kill"))
    assert boxes.parts() == (*broken, PartView("database", "up"))
    boxes.told(step("observed_healed", "store-kill", "store", 0))
    assert boxes.parts()[1] == PartView("store", "up")


def test_a_fault_of_a_kind_that_is_not_known_any_more_breaks_its_victim(boxes: Boxes) -> None:
    boxes.told(step("injected", "flood"))
    boxes.told(step("observed", "flood"))
    assert n2(boxes) == ("broken", 20, "flood")


def test_a_sample_from_before_the_blow_that_is_written_after_it_does_not_wake_the_dead(boxes: Boxes) -> None:
    boxes.told(step("injected"))
    boxes.told(step("observed"))
    boxes.told(sample(n1=20, n2=20, n3=20))
    boxes.told(sample(n1=20, n2=-1, n3=20))
    assert n2(boxes) == ("dead", -1, "kill")
