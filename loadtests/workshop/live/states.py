"""What is drawn of a side: nodes and other parts as boxes, shoppers as dots."""

from __future__ import annotations

from loadtests.faults import FAULTS
from loadtests.faults.bases.balancing import Misroutes
from loadtests.faults.bases.freezing import Freezes
from loadtests.faults.bases.going_down import GoesDown
from loadtests.model.events import ClusterReady, Event, FaultEvent, NodeAdded, NodeSample
from loadtests.model.history import Exchange
from loadtests.session_model.shopper_trace import Person
from loadtests.workshop.contract import NodeState, NodeView, PartView, ShopperState, ShopperView

BALANCER = "balancer"
DOWN_FOR_GOOD = "scale-in"
SILENT_TWICE = 2
"""So many samples in a row must a node leave unanswered to be called dead without a fault: a busy machine is none."""


class _Held:
    """A fault that holds a part."""

    __slots__ = ("kind", "observed", "victim")

    def __init__(self, kind: str, victim: str) -> None:
        self.kind = kind
        self.victim = BALANCER if isinstance(FAULTS.get(kind), Misroutes) else victim
        self.observed = False


class _Node:
    """What a node says of itself."""

    __slots__ = ("sessions", "silent", "since_fault")

    def __init__(self) -> None:
        self.sessions = -1
        self.silent = 0
        self.since_fault = False
        """It was seen to answer after the last fault was observed."""


class Boxes:
    """All nodes and parts of one side. A fault holds its victim from its injection until it is seen to be healed."""

    def __init__(self, nodes: tuple[str, ...], parts: tuple[str, ...]) -> None:
        self._nodes = {node: _Node() for node in nodes}
        self._parts = parts
        self._held: dict[int, _Held] = {}

    def hear(self, event: Event) -> None:
        """Take in what an event tells of nodes and parts."""
        if isinstance(event, ClusterReady):
            for node in event.nodes:
                self._nodes.setdefault(node, _Node())
        elif isinstance(event, NodeAdded):
            self._nodes.setdefault(event.node, _Node())
        elif isinstance(event, NodeSample):
            for node, sessions in event.sessions.items():
                self._sampled(self._nodes.setdefault(node, _Node()), sessions)
        elif isinstance(event, FaultEvent):
            self._fault(event)

    def nodes(self) -> tuple[NodeView, ...]:
        """Every node, in the order in which they came."""
        return tuple(self._node_view(name, node) for name, node in self._nodes.items())

    def parts(self) -> tuple[PartView, ...]:
        """Every other part."""
        held = {fault.victim: fault.kind for fault in self._held.values()}
        return tuple(PartView(name, "broken" if name in held else "up", held.get(name, "")) for name in self._parts)

    @staticmethod
    def _sampled(node: _Node, sessions: int) -> None:
        node.sessions = sessions
        node.silent = node.silent + 1 if sessions < 0 else 0
        # The last sample counts: one that was taken just before the blow may be written after it was observed.
        node.since_fault = sessions >= 0

    def _fault(self, event: FaultEvent) -> None:
        if event.phase == "injected":
            self._held[event.fault] = _Held(event.kind, event.victim)
        elif event.phase in ("not_observed", "nothing_there"):
            self._held.pop(event.fault, None)
        elif event.phase == "observed" and event.fault in self._held:
            self._held[event.fault].observed = True
            if node := self._nodes.get(event.victim):
                node.since_fault = False
                if FAULTS[event.kind].takes_memory if event.kind in FAULTS else False:
                    node.sessions = -1
        elif event.phase == "observed_healed" and event.kind != DOWN_FOR_GOOD:
            self._held.pop(event.fault, None)
            if node := self._nodes.get(event.victim):
                node.silent = 0

    def _node_view(self, name: str, node: _Node) -> NodeView:
        for fault in reversed(self._held.values()):
            if fault.victim == name:
                return NodeView(name, self._state(fault, node), node.sessions, fault.kind)
        return NodeView(name, "dead" if node.silent >= SILENT_TWICE else "up", node.sessions)

    @staticmethod
    def _state(fault: _Held, node: _Node) -> NodeState:
        about = FAULTS.get(fault.kind)
        if not fault.observed:
            return "broken"
        if isinstance(about, Freezes):
            return "frozen"
        down = isinstance(about, GoesDown) or fault.kind == DOWN_FOR_GOOD
        return "dead" if down and not node.since_fault else "broken"


class Crowd:
    """All shoppers of one side, from the beginning."""

    def __init__(self, shoppers: int) -> None:
        self.views: dict[int, ShopperView] = {
            number: ShopperView(number, "", "outside", hurt=False) for number in range(1, shoppers + 1)
        }
        self._changed: set[int] = set(self.views)
        self._logouts: dict[int, int] = {}

    def saw(self, exchange: Exchange, person: Person) -> None:
        """This shopper has just been answered, or not; `person` has heard of it."""
        before = self.views.get(exchange.shopper)
        if before is None or exchange.jar != "main":
            return
        node, state = exchange.node or before.node, self._state(before.state, person)
        if node != before.node or state != before.state:
            self._put(ShopperView(exchange.shopper, node, state, before.hurt))

    def hurt(self, shopper: int) -> None:
        """This shopper has lost something."""
        before = self.views.get(shopper)
        if before is not None and not before.hurt:
            self._put(ShopperView(shopper, before.node, before.state, hurt=True))

    def news(self) -> tuple[ShopperView, ...]:
        """Who has changed since the last time, in order of their numbers."""
        changed, self._changed = self._changed, set()
        return tuple(self.views[number] for number in sorted(changed))

    def _state(self, before: ShopperState, person: Person) -> ShopperState:
        if person.logouts != self._logouts.get(person.shopper, 0):
            self._logouts[person.shopper] = person.logouts
            return "shopping" if person.memory.logged_in else "logged_out"
        if person.memory.logged_in:
            return "shopping"
        return "outside" if before == "shopping" else before  # who was logged out stays so until they are in again

    def _put(self, view: ShopperView) -> None:
        self.views[view.shopper] = view
        self._changed.add(view.shopper)
