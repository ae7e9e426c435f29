"""What is drawn of a side: nodes and other parts as boxes, shoppers as dots, and how long they waited, by second."""

from collections.abc import Hashable
from typing import TypeVar

from compose.cluster import BALANCER
from loadtests.faults import FAULTS
from loadtests.judging.latency import WaitCounter
from loadtests.model.events import Event, FaultEvent, NodeAdded, NodeSample
from loadtests.model.fault_timeline import FaultTimeline
from loadtests.model.history import NOT_ASKED, Exchange
from loadtests.session_model.shopper_trace import ShopperTrace
from loadtests.session_model.timeline import RunTimeline
from loadtests.workshop.contract import NodeState, NodeView, PartView, ShopperState, ShopperView, WaitsView

KEPT_SECONDS = 30  # what comes later than this does not change the second any more: its single waits are forgotten
SILENT_TWICE = 2  # samples in a row that a node leaves unanswered, to be called dead without a fault: it may be busy


K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class TrackedRows(dict[K, V]):
    """The rows of a table that browsers are told, by key, and which have changed since `news` was last asked."""

    def __init__(self) -> None:
        super().__init__()
        self._changed: set[K] = set()

    def tell(self, key: K, row: V) -> None:
        """That row, in the place of the one with that key; a new one comes to the end."""
        if self.get(key) != row:
            self[key] = row
            self._changed.add(key)

    def news(self) -> dict[K, V]:
        """The changed rows by key, in the table's order."""
        changed, self._changed = self._changed, set()
        return {key: row for key, row in self.items() if key in changed} if changed else {}


class _Node:
    __slots__ = ("sessions", "silent", "since_fault")

    def __init__(self) -> None:
        self.sessions = -1
        self.silent = 0
        self.since_fault = False  # it was seen to answer after the last fault was observed

    def sampled(self, sessions: int) -> None:
        """So many it holds; -1: it did not say."""
        self.sessions = sessions
        self.silent = self.silent + 1 if sessions < 0 else 0
        # The last sample counts: one that was taken just before the blow may be written after it was observed.
        self.since_fault = sessions >= 0

    def affected(self, fault: FaultTimeline, phase: str) -> None:
        """A step of a fault of which it is the victim."""
        if phase == "observed":
            self.since_fault = False
            self.sessions = -1 if fault.takes_memory else self.sessions
        elif phase == "observed_healed":
            self.silent = 0  # what it left unanswered while it was broken says nothing of it now


class NodeStates:
    """All nodes and parts of one side. A fault holds its victim from its injection until it is seen to be healed."""

    def __init__(self, nodes: tuple[str, ...], parts: tuple[str, ...]) -> None:
        self._nodes = {node: _Node() for node in nodes}
        self._parts = parts
        self._holding: list[FaultTimeline] = []

    def hear(self, event: Event, scene: RunTimeline) -> None:
        """Take in what an event tells of nodes and parts; `scene` knows of it already."""
        if isinstance(event, NodeAdded):
            self._nodes.setdefault(event.node, _Node())
        elif isinstance(event, NodeSample):
            for node, sessions in event.sessions.items():
                self._nodes.setdefault(node, _Node()).sampled(sessions)
        elif isinstance(event, FaultEvent):
            in_vain = {step.fault for step in scene.fault_events if step.phase == "not_observed"}
            self._holding = [each for each in scene.faults if _holds(each) and each.fault not in in_vain]
            fault = next(each for each in scene.faults if each.fault == event.fault)
            if event.victim in self._nodes:
                self._nodes[event.victim].affected(fault, event.phase)

    def nodes(self) -> tuple[NodeView, ...]:
        """Every node, in the order in which they came."""
        return tuple(self._node_view(name, node) for name, node in self._nodes.items())

    def parts(self) -> tuple[PartView, ...]:
        """Every other part."""
        held = {_held_part(fault): fault.kind for fault in self._holding}
        return tuple(PartView(name, "broken" if name in held else "up", held.get(name, "")) for name in self._parts)

    def _node_view(self, name: str, node: _Node) -> NodeView:
        for fault in reversed(self._holding):  # of several the last: it is what people have just done
            if fault.victim == name:
                return NodeView(name, _state(fault, node), node.sessions, fault.kind)
        return NodeView(name, "dead" if node.silent >= SILENT_TWICE else "up", node.sessions)


def _holds(fault: FaultTimeline) -> bool:
    healed = fault.observed_healed_us is not None and not _down_for_good(fault)
    return fault.injected_us is not None and not fault.nothing_there and not healed


def _held_part(fault: FaultTimeline) -> str:
    # Who routes otherwise than before is the balancer, though the whole cluster feels it.
    about = FAULTS.get(fault.kind)
    return BALANCER if about is not None and about.balancing is not None else fault.victim


def _down_for_good(fault: FaultTimeline) -> bool:
    # A node that was taken away and does not come back: to be healed means that it is seen to stay away.
    about = FAULTS.get(fault.kind)
    return about is not None and about.stays and about.looks == "dead"


def _state(fault: FaultTimeline, node: _Node) -> NodeState:
    about = FAULTS.get(fault.kind)
    if about is None or fault.observed_us is None or (about.looks == "dead" and node.since_fault):
        return "broken"
    return about.looks


class ShopperStates:
    """All shoppers of one side, from the beginning."""

    def __init__(self, shoppers: int) -> None:
        self.views: TrackedRows[int, ShopperView] = TrackedRows()
        for number in range(1, shoppers + 1):
            self.views.tell(number, ShopperView(number, "", "outside", hurt=False))
        self._logouts: dict[int, int] = {}

    def saw(self, exchange: Exchange, person: ShopperTrace) -> None:
        """This shopper has just been answered, or not; `person` has heard of it."""
        before = self.views.get(exchange.shopper)
        if before is None or exchange.jar != "main":
            return
        node, state = exchange.node or before.node, self._state(before.state, person)
        self.views.tell(before.shopper, ShopperView(before.shopper, node, state, before.hurt))

    def hurt(self, shopper: int) -> None:
        """This shopper has lost something."""
        before = self.views.get(shopper)
        if before is not None:
            self.views.tell(shopper, ShopperView(shopper, before.node, before.state, hurt=True))

    def _state(self, before: ShopperState, person: ShopperTrace) -> ShopperState:
        if person.logouts != self._logouts.get(person.shopper, 0):
            self._logouts[person.shopper] = person.logouts
            return "shopping" if person.memory.logged_in else "logged_out"
        if person.memory.logged_in:
            return "shopping"
        return "outside" if before == "shopping" else before  # who was logged out stays so until they are in again


class _Second:
    def __init__(self) -> None:
        self.asked = 0
        self.failed = 0
        self.waits = WaitCounter()


class Waiting:
    """Planned actions by the second in which they were over.

    asked: those that were sent. failed: those of them that the shopper saw fail, or of which it never knew, whatever a
    later answer settles. WaitsView: of the answers, from their sending; what is slow on purpose is left out.
    """

    def __init__(self) -> None:
        self.seconds: TrackedRows[int, WaitsView] = TrackedRows()
        self._open: dict[int, _Second] = {}
        self._next = 0
        self._newest = -1

    def add(self, exchange: Exchange) -> None:
        """Count one exchange."""
        if exchange.why != "plan" or exchange.do in NOT_ASKED or exchange.outcome == "not_sent":
            return
        number = exchange.done_us // 1_000_000
        if number < self._next - KEPT_SECONDS:
            return
        second = self._open.get(number)
        if second is None:
            second = self._open[number] = _Second()
            self._newest = max(self._newest, number)
        second.asked += 1
        second.failed += exchange.outcome != "ok"
        second.waits.add(exchange)

    def close_until(self, now_us: int, *, over: bool = False) -> tuple[WaitsView, ...]:
        """The seconds that are over since the last time, and those of which more has become known.

        Without a gap: a second in which nobody asked is told, too, once somebody asks again.
        """
        # Not up to now: behind the newest answer there is nothing to tell, and a pause may go on for minutes.
        last = self._newest + 1 if over else min(self._newest + 1, now_us // 1_000_000)
        for again in [number for number in self._open if number < self._next]:
            if self.seconds[again].asked != self._open[again].asked:
                self._close(again)
        while self._next < last:
            self._close(self._next)
            self._next += 1
        return tuple(self.seconds.news().values())

    def _close(self, number: int) -> None:
        second = self._open.get(number) or _Second()
        waited = second.waits.close().raw
        self.seconds.tell(number, WaitsView(number, second.asked, second.failed, waited.p50, waited.p95))
        for old in [each for each in self._open if each < number - KEPT_SECONDS]:
            del self._open[old]
